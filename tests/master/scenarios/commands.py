"""How the command of a shell step is written, run and shown."""

from harness.scenario import scenario
from steps import SecretShell, sh

ODD_WORDS = [
    "plain",
    "two words",
    "",
    "it's",
    'say "yes"',
    "both ' and \"",
    "$HOME",
    "${HOME}",
    "$(PWD)/target",
    "`id`",
    "a\\b",
    "tab\there",
    "line\nbreak",
    "ünï €",
    "*",
    "%d%%",
    "-n",
    "~",
    "#no comment",
    "a;b|c&d",
    "\x01\x7f",
]


@scenario(
    "Every word of a list reaches the program as it is",
    shows={"words/log:stdio": [r"^o<two words>", r"^o<\$\(PWD\)/target>"]},
)
def words(at):
    show = 'for word in "$@"; do printf "<%s>\\n" "$word"; done'
    return [
        sh(["sh", "-c", show, "show", *ODD_WORDS], "words"),
        sh(["printf", "%s\n", *[str(number) for number in range(2000)]], "two thousand words"),
        sh(["true", "x" * 100_000], "a long word"),
    ]


@scenario("A text goes through the shell", shows={"pipe/log:stdio": "^o2$"})
def texts(at):
    return [
        sh("printf 'a\\nb\\n' | wc -l | tr -d ' '", "pipe"),
        sh("echo $0 $#; echo ${NOT_SET:-unset} 'it''s'", "expansion"),
        sh("cd /; pwd; echo $PWD", "changes directory"),
        sh("set -e\necho first\nfalse\necho never", "several lines"),
        sh("echo ünï € > 'a file €'; cat 'a file €'; ls", "beyond ASCII"),
        sh("printf '%s\\n' {a,b}; [ -n \"$BASH_VERSION\" ]; echo $?", "which shell"),
    ]


@scenario(
    "The real text of an obfuscated word is nowhere to be seen",
    shows={"login/log:stdio": ["^oreal length 7$", "^hsh -c .* XXXX"]},
)
def obfuscated_words(at):
    tell = 'echo "real length ${#1}"; [ "$1" = pa55wd! ] && echo as agreed'
    return [
        SecretShell(["sh", "-c", tell, "tell", ("obfuscated", "pa55wd!", "XXXX")], name="login"),
        SecretShell(
            ["sh", "-c", "exit 9", ("obfuscated", "pa55wd!", "a fake")],
            name="fails",
            flunkOnFailure=False,
        ),
        SecretShell(
            [("obfuscated", "/nonexistent/pa55wd!", "program")],
            name="missing",
            flunkOnFailure=False,
        ),
    ]


@scenario(
    "The environment is shown unless the step does not want it",
    shows={"shown/log:stdio": "^h  PATH=", "not shown/log:stdio": "(?s)^((?!PATH=).)*$"},
)
def environment_in_the_log(at):
    return [
        sh(["true"], "shown", logEnviron=True, env={"ADDED": "a value", "LINES_IN": "one\ntwo"}),
        sh(["true"], "not shown", logEnviron=False, env={"ADDED": "a value"}),
    ]
