use super::*;

/// As on PB.
const LONGEST_LINE: usize = 4095;

/// What the splitter makes of these reads, its end included.
fn split(reads: &[&str]) -> String {
    let mut splitter = Splitter::new(&OutputRules::default());
    let mut out = Lines::default();
    for read in reads {
        splitter.push(read, None, &mut out);
    }
    splitter.finish(None, &mut out);
    assert!(out.times.is_empty());
    out.text
}

/// The same in the simplest way, character by character over the whole text; `cuts` are the places
/// where a read ended, at which a run of backspaces ends too.
fn model(text: &str, cuts: &[usize]) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut folded = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let rest = &chars[at..];
        let length = match rest {
            ['\r', '\n', ..] => 2,
            ['\r', ..] => 1,
            ['\u{8}', ..] => {
                let run = rest.iter().take_while(|&&c| c == '\u{8}').count();
                let cut = cuts
                    .iter()
                    .find(|&&cut| cut > at)
                    .map_or(run, |cut| cut - at);
                run.min(cut)
            }
            ['\u{1b}', '[', 'u', ..] => 3,
            ['\u{1b}', '[', '2', 'J', ..] => 4,
            ['\u{1b}', '[', ..] => position_length(rest),
            _ => 0,
        };
        folded.push(if length == 0 { rest[0] } else { '\n' });
        at += length.max(1);
    }
    let mut out = String::new();
    for line in folded.split_inclusive(|&c| c == '\n') {
        let line = line.strip_suffix(&['\n']).unwrap_or(line);
        if line.is_empty() {
            out.push('\n');
        }
        for piece in line.chunks(LONGEST_LINE) {
            out.extend(piece);
            out.push('\n');
        }
    }
    out
}

fn position_length(rest: &[char]) -> usize {
    let digits = |from: usize| {
        rest[from..]
            .iter()
            .take_while(|c| c.is_ascii_digit())
            .count()
    };
    let first = digits(2);
    if first == 0 || rest.get(2 + first) != Some(&';') {
        return 0;
    }
    let second = digits(3 + first);
    let end = 3 + first + second;
    if second > 0 && end < LONGEST_SEQUENCE && matches!(rest.get(end), Some('H' | 'f')) {
        end + 1
    } else {
        0
    }
}

#[test]
fn the_examples_of_the_protocol_come_out_as_recorded() {
    for (reads, lines) in [
        (&["x\r", "y\n"][..], "x\ny\n"),
        (&["x\r", "\ny\n"], "x\ny\n"),
        (&["\r\r\n"], "\n\n"),
        (&["ab\x08", "\x08c\n"], "ab\n\nc\n"),
        (&["ab\x08\x08c\n"], "ab\nc\n"),
        (&["a\rb\r\nc\n"], "a\nb\nc\n"),
        (
            &["x\x1b[uy\x1b[2Jz\x1b[3;4Hq\x1b[1;2fr\n"],
            "x\ny\nz\nq\nr\n",
        ),
        (&["x\x1b", "[", "2", "Jy\n"], "x\ny\n"),
        (
            &["\x1b[31mred\x1b[0m\x1b[2K\x1b[3J\x1b[;1H\n"],
            "\x1b[31mred\x1b[0m\x1b[2K\x1b[3J\x1b[;1H\n",
        ),
        (&["partial"], "partial\n"),
        (&["partial\r"], "partial\n"),
        (&["\r"], "\n"),
        (&["a\x1b[2"], "a\x1b[2\n"),
        (&["", "\n", ""], "\n"),
        (&[""], ""),
    ] {
        assert_eq!(split(reads), lines, "{reads:?}");
    }
}

#[test]
fn a_long_line_goes_in_pieces_without_loss() {
    for length in [4094, 4095, 4096, 5000, 8190, 8191, 20_000] {
        for letter in ["L", "é"] {
            let line = letter.repeat(length);
            let text = format!("before\n{line}\nafter\n");
            let out = split(&[&text]);
            assert_eq!(out, model(&text, &[]), "{length} times {letter}");
            let lines = out.lines().map(|line| line.chars().count());
            assert!(lines.clone().all(|count| count <= LONGEST_LINE));
            assert_eq!(lines.sum::<usize>(), length + 11);
        }
    }
    let pieces = split(&[&"L".repeat(5000)]);
    assert_eq!(
        pieces.lines().map(str::len).collect::<Vec<_>>(),
        [4095, 905]
    );
}

#[test]
fn a_line_end_after_a_full_piece_adds_no_line() {
    let full = "L".repeat(LONGEST_LINE);
    assert_eq!(split(&[&full, "\n"]), format!("{full}\n"));
    assert_eq!(split(&[&full, "\r", "\n"]), format!("{full}\n"));
    assert_eq!(split(&[&full, "\x1b[", "2J"]), format!("{full}\n"));
}

#[test]
fn an_endless_cursor_sequence_passes_as_text() {
    let text = format!("\x1b[{};1H\n", "1".repeat(100_000));
    let in_one = split(&[&text]);
    assert_eq!(in_one.replace('\n', ""), text.replace('\n', ""));
    let mut splitter = Splitter::new(&OutputRules::default());
    let mut out = Lines::default();
    for at in 0..text.len() {
        splitter.push(&text[at..=at], None, &mut out);
        assert!(splitter.partial.len() <= LONGEST_LINE);
    }
    assert_eq!(out.text, in_one);
}

#[test]
fn no_text_is_lost_however_it_is_cut() {
    const PARTS: &[&str] = &[
        "\n",
        "\r",
        "\r\n",
        "\x08",
        "\x1b",
        "\x1b[",
        "\x1b[u",
        "\x1b[2J",
        "\x1b[1;2H",
        "[",
        "2",
        ";",
        "J",
        "H",
        "u",
        "f",
        "a",
        "é",
        "😀",
        "words of a line ",
        "LONG",
    ];
    let random = Random::new(7);
    for _ in 0..3000 {
        let mut text = String::new();
        for _ in 0..random.below(40) {
            match PARTS[random.below(PARTS.len())] {
                "LONG" if random.below(8) == 0 => text.push_str(&"lé".repeat(random.below(5000))),
                part => text.push_str(part),
            }
        }
        let mut reads = Vec::new();
        let mut cuts = Vec::new();
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let mut at = 1 + random.below(rest.len().min(1 + random.below(rest.len())));
            while !rest.is_char_boundary(at) {
                at += 1;
            }
            reads.push(&rest[..at]);
            rest = &rest[at..];
            cuts.push(text[..text.len() - rest.len()].chars().count());
        }
        assert_eq!(split(&reads), model(&text, &cuts), "{reads:?}");
    }
}

#[test]
fn a_line_has_the_time_of_its_first_character() {
    let mut splitter = Splitter::new(&OutputRules::default());
    let mut out = Lines::default();
    let long = "x".repeat(LONGEST_LINE);
    for (text, time) in [
        ("a\nb", 1.0),
        ("c", 2.0),
        ("d\ne\n\r", 3.0),
        ("f\n", 4.0),
        ("\x1b", 5.0),
        ("[2J", 6.0),
        (&long, 7.0),
        ("yz", 8.0),
    ] {
        splitter.push(text, Some(time), &mut out);
    }
    splitter.finish(Some(9.0), &mut out);
    assert_eq!(out.text, format!("a\nbcd\ne\n\nf\n\n{long}\nyz\n"));
    assert_eq!(out.times, [1.0, 1.0, 3.0, 3.0, 4.0, 5.0, 7.0, 8.0]);
}

#[test]
fn there_is_one_time_for_every_line() {
    let text = format!("\n\na\r\n{}\nb\r", "é".repeat(9000));
    let mut splitter = Splitter::new(&OutputRules::default());
    let mut out = Lines::default();
    for read in text.split_inclusive(['a', '\n']) {
        splitter.push(read, Some(1.0), &mut out);
    }
    splitter.finish(Some(2.0), &mut out);
    assert_eq!(out.times.len(), out.text.lines().count());
}

/// A splitter by an expression of the master's own.
fn by(expression: &str, longest_line: usize) -> Splitter {
    Splitter::new(&OutputRules {
        line_ends: LineEnds::parse(expression).unwrap(),
        longest_line,
        ..OutputRules::default()
    })
}

#[test]
fn an_expression_of_the_masters_own_cuts_as_the_usual_one_would() {
    // The same ends in other words, so that the engine has to find them.
    const SAME: &str = r"(\r\n|\r(?=.)|\033\[u|\033\[\d+;\d+[Hf]|\033\[2J|\x08+)";
    let long = "é".repeat(9000);
    for reads in [
        &["x\r", "y\n"][..],
        &["x\r", "\ny\n"],
        &["\r\r\n"],
        &["ab\x08", "\x08c\n"],
        &["x\x1b[uy\x1b[2Jz\x1b[3;4Hq\x1b[1;2fr\n"],
        &["x\x1b", "[", "2", "Jy\n"],
        &["partial"],
        &["partial\r"],
        &["\r"],
        &["", "\n", ""],
        &[""],
        &["a", &long, "b\nc"],
    ] {
        let mut splitter = by(SAME, LONGEST_LINE);
        let mut out = Lines::default();
        for (time, read) in reads.iter().enumerate() {
            splitter.push(read, Some(time as f64), &mut out);
        }
        splitter.finish(Some(9.0), &mut out);
        assert_eq!(out.text, split(reads), "{reads:?}");
        assert_eq!(out.times.len(), out.text.lines().count(), "{reads:?}");
    }
}

#[test]
fn a_line_found_by_an_expression_has_the_time_of_its_first_character() {
    let mut splitter = by(";", 4);
    let mut out = Lines::default();
    for (text, time) in [("a", 1.0), ("b;c", 2.0), (";\nabcdef", 3.0), ("g", 4.0)] {
        splitter.push(text, Some(time), &mut out);
    }
    splitter.finish(Some(5.0), &mut out);
    assert_eq!(out.text, "ab\nc\n\nabcd\nefg\n");
    assert_eq!(out.times, [1.0, 2.0, 3.0, 3.0, 3.0]);
}

#[test]
fn lines_are_as_long_as_the_master_allows() {
    let rules = OutputRules {
        longest_line: 1,
        ..OutputRules::default()
    };
    let mut splitter = Splitter::new(&rules);
    let mut out = Lines::default();
    splitter.push("ab\ncd", None, &mut out);
    splitter.finish(None, &mut out);
    assert_eq!(out.text, "a\nb\nc\nd\n");
}

/// Numbers that are the same in every run.
struct Random(std::cell::Cell<u64>);

impl Random {
    fn new(seed: u64) -> Random {
        Random(std::cell::Cell::new(seed))
    }

    /// 0 up to and without `limit`; 0 for 0.
    fn below(&self, limit: usize) -> usize {
        // Knuth's MMIX generator; the low bits are poor.
        let next = self
            .0
            .get()
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0.set(next);
        usize::try_from(next >> 33).unwrap() % limit.max(1)
    }
}
