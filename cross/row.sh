# shellcheck shell=sh
# shellcheck disable=SC2154 # ci/cross.sh sets the columns of the row and the places of the tools.
# What ci/cross.sh does with one row of the table. Read by it, not run.

jobs=${CORACLE_CROSS_JOBS:-2}

# A line that changes whenever a row of $system must be done again: of sources and tools. What only other systems are
# made of does not count.
fingerprint() {
    others=$(rows | awk -v own="$system" '$2 != own {print tolower($2)}' | sort -u | paste -s -d '|')
    {
        git ls-files -co --exclude-standard -- .cargo Cargo.toml Cargo.lock src ports cross ci/cross.sh ci/cross-tools.sh |
            grep -v -e '\.md$' -e '^cross/targets.txt$' -e '^cross/Cross.toml$' |
            grep -v -E "^ports/src/($others)(\.rs$|/)" | LC_ALL=C sort | xargs sha256sum
        "$rust_bin/rustc" --version
        cat "$zig_bin/../versions"
        cat "$qemu_bin/version"
    } | sha256sum | cut -d ' ' -f 1
}

# Does the row whose columns are in $triple and so on, unless it passed already.
row() {
    state=$work/state/$triple
    log=$work/log/$triple.log
    print=$(echo "$(fingerprint) $triple $system $tier $build $emulator $tls" | sha256sum | cut -d ' ' -f 1)
    if grep -qs "^print=$print\$" "$state" && grep -qs "^reached=$tier\$" "$state"; then
        echo "$triple: unchanged"
        return 0
    fi
    echo "$triple: to be $tier; log: $log"
    begun=$(date +%s)
    reached=nothing notes=
    : > "$log"
    program=$work/out/$triple/coracle
    set_environment
    if climb >> "$log" 2>&1; then
        notes=${notes:-$(notes_of_row)}
    else
        notes="see $log: $(failure)"
        echo "$triple: $notes"
    fi
    bytes=-
    case $reached in run | link | stub) bytes=$(wc -c < "$program") ;; esac
    {
        printf 'print=%s\nreached=%s\nbytes=%s\ntls=%s\nseconds=%s\n' \
            "$print" "$reached" "$bytes" "$tls_built" "$(($(date +%s) - begun))"
        printf "notes='%s'\n" "$(printf %s "$notes" | tr "'\n" '  ')"
    } > "$state.new"
    mv "$state.new" "$state"
    # A row takes half a gigabyte or more; without it, the next change means to build all again.
    if [ -n "${CORACLE_CROSS_LEAN:-}" ] && [ "$reached" = "$tier" ]; then
        rm -rf "$work/build/$triple"
    fi
    echo "$triple: $reached"
}

# Goes up the tiers; $reached says how far it came.
climb() {
    case $tier in
        check) lint && reached=check ;;
        stub) lint && link_program && reached=stub ;;
        link) lint && link_program && reached='link' ;;
        run) link_program && reached='link' && test_row && reached=run ;;
    esac
}

failure() {
    grep -m 1 -o 'stub-linker: .*' "$log" && return
    grep -m 1 -E '^error|^FAILED|^test .* FAILED|panicked|refused' "$log" | cut -c 1-160 || true
}

notes_of_row() {
    case $tier in
        run) grep -h '^cross: ' "$log" | sed 's/^cross: //' | paste -s -d ';' ;;
        stub) echo "functions from a list" ;;
        *) echo "" ;;
    esac
}

# What cargo is told for this row, in the environment.
set_environment() {
    name=$(echo "$triple" | tr '[:lower:]-' '[:upper:]_')
    lower=$(echo "$triple" | tr - _)
    sysroot=$("$rust_bin/rustc" --print sysroot)
    # No path of this machine in the program, so that it is the same wherever it is built.
    flags="--remap-path-prefix=$PWD=/coracle --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo"
    flags="$flags --remap-path-prefix=$sysroot/lib/rustlib/src/rust=/rust"
    case $triple in
        # zig brings start files and libc.
        *-linux-musl*) flags="$flags -Clink-self-contained=no" ;;
        # Debian's Rust has no program that strips Mach-O.
        *-apple-*) flags="$flags -Clink-arg=-s" ;;
    esac
    tls_built=no features="--no-default-features --features=tools,encodings"
    if [ "$tls" = yes ] && grep -q '^tls = ' Cargo.toml; then
        tls_built=yes features=
    fi
    # A build script's C compiler, where nothing else gives one: for objects only, without the system's headers.
    cc_flags="-ffreestanding -nostdlibinc -DRING_CORE_NOSTDLIBINC=1 -fPIC"
    # cargo looks for its subcommands in its home first, unless that is in the path: there may be another clippy.
    path=$zig_bin:$rust_bin:/usr/bin:/bin:${CARGO_HOME:-$HOME/.cargo}/bin
    set -- "CARGO_TARGET_${name}_RUSTFLAGS=$flags" "CARGO_TARGET_DIR=$work/build" \
        RUSTC_BOOTSTRAP=1 "RUSTC=$rust_bin/rustc" "RUSTDOC=$rust_bin/rustdoc" "CARGO=$rust_bin/cargo" \
        "SYSROOT=$sysroot" "PATH=$path" "SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-0}"
    case $build in
        zig=*)
            set -- "$@" "ZIG=$zig_bin/python-zig" "ZIG_TARGET=${build#zig=}" "CC_$lower=$PWD/cross/zig-linker" \
                "AR_$lower=ar" "CARGO_TARGET_${name}_LINKER=$PWD/cross/zig-linker"
            ;;
        stub=*)
            set -- "$@" "STUB_SYSTEM=${build#stub=}" "STUB_SYMBOLS=$work/symbols-${build#stub=}" "CC_$lower=clang" \
                "AR_$lower=ar" "CFLAGS_$lower=$cc_flags" "CARGO_TARGET_${name}_LINKER=$PWD/cross/stub-linker"
            ;;
        -) set -- "$@" "CC_$lower=clang" "AR_$lower=ar" "CFLAGS_$lower=$cc_flags" ;;
    esac
    case $system in
        # The linker does it, see above.
        macOS) set -- "$@" CARGO_PROFILE_RELEASE_STRIP=none ;;
    esac
    : > "$work/environment"
    for word in "$@"; do
        printf '%s\n' "$word" >> "$work/environment"
    done
}

# Runs a command in the row's environment.
with_environment() {
    (
        while IFS= read -r word; do
            export "${word?}"
        done < "$work/environment"
        "$@"
    )
}

# clippy calls a thread-local that is made const already not so where the system has none of its own.
LINTS="-D warnings -A clippy::missing_const_for_thread_local"

# Runs a command that links nothing: no machine code is made of the standard library.
without_code() {
    eval "export CARGO_TARGET_${name}_RUSTFLAGS=\"\$CARGO_TARGET_${name}_RUSTFLAGS -Zno-codegen\""
    "$@"
}

lint() {
    # It gives build scripts the C compiler and headers of its targets.
    clippy=cargo-zigbuild
    [ "$build" = zigbuild ] || clippy=$rust_bin/cargo-clippy
    # shellcheck disable=SC2086 # Words of their own, or none.
    with_environment without_code "$clippy" clippy --locked -j "$jobs" \
        -Zbuild-std=std,panic_unwind,test --target "$triple" $features -p coracle -- $LINTS &&
        with_environment without_code "$clippy" clippy --locked -j "$jobs" \
            -Zbuild-std=std,panic_unwind,test --target "$triple" -p ports --all-targets -- $LINTS
}

link_program() {
    case $build in
        zigbuild) command="cargo-zigbuild zigbuild" ;;
        stub=*)
            command="$rust_bin/cargo build"
            libc=$(libc_sources) && cross/libc-symbols "${build#stub=}" "$libc" > "$work/symbols-${build#stub=}" ||
                return 1
            ;;
        *) command="$rust_bin/cargo build" ;;
    esac
    # shellcheck disable=SC2086 # Words.
    with_environment $command --locked --release -j "$jobs" -Zbuild-std=std,panic_unwind --target "$triple" $features \
        -p coracle || return 1
    mkdir -p "$(dirname "$program")"
    cp "$work/build/$triple/release/coracle" "$program" && cross/assert-format "$triple" "$program"
}

# The directory of the libc crate that Cargo.lock names.
libc_sources() {
    with_environment "$rust_bin/cargo" metadata --locked --format-version 1 |
        python3 -c 'import json, os, sys
for package in json.load(sys.stdin)["packages"]:
    if package["name"] == "libc":
        print(os.path.dirname(package["manifest_path"]))'
}

# Only the tests of the row, without the program; for ci/check.sh. Nothing is remembered.
contract_of_row() {
    log=$work/log/$triple-contract.log
    : > "$log"
    set_environment
    echo "$triple: tests of the port layer and of recorded sessions; log: $log"
    if ! contract_tests >> "$log" 2>&1; then
        tail -n 60 "$log"
        echo "$triple: $(failure)" >&2
        return 1
    fi
    grep '^test result: ' "$log"
    grep -h '^cross: ' "$log" | sed "s/^cross: /$triple: /"
}

# The words that run a program of this row.
runner() {
    case $emulator in
        native) ;;
        *)
            set -- "${emulator%%=*}"
            [ "${emulator#*=}" = "$emulator" ] || printf 'env QEMU_CPU=%s ' "${emulator#*=}"
            printf '%s ' "$PWD/cross/with-binfmt" "$qemu_bin" "$1"
            ;;
    esac
}

test_row() {
    # shellcheck disable=SC2046 # Words.
    version=$($(runner) "$program" --version) || return 1
    echo "cross: $version"
    contract_tests && attached_worker
}

# Builds tests for the row, and adds the programs to the list; the words choose which.
build_tests() {
    with_environment cargo-zigbuild test --locked --no-run -j "$jobs" -Zbuild-std=std,panic_unwind,test \
        --target "$triple" --message-format=json-render-diagnostics "$@" > "$work/tests.json" || return 1
    python3 -c 'import json, sys
for line in sys.stdin:
    made = json.loads(line)
    if made.get("executable") and made["profile"]["test"]: print(made["executable"])' < "$work/tests.json" >> "$work/tests.list"
}

# The tests of what every port promises, and the recorded sessions, as programs of the row's processor.
contract_tests() {
    : > "$work/tests.list"
    # shellcheck disable=SC2086 # Words of their own, or none.
    build_tests -p ports && build_tests -p coracle $features --test vectors || return 1
    [ -s "$work/tests.list" ] || return 1
    while read -r test <&4; do
        case $test in
            # It makes containers of its own, which an emulated program cannot.
            */process_one-*) [ "$emulator" = native ] || continue ;;
        esac
        # shellcheck disable=SC2046 # Words.
        case $test in
            */vectors-*) $(runner) "$test" --test-threads=2 || return 1 ;;
            *) (cd ports && $(cd .. && runner) "$test" --test-threads=2) || return 1 ;;
        esac
    done 4< "$work/tests.list"
    passed=$(awk '/^test result: ok/ {n += $4} END {print n + 0}' "$log")
    echo "cross: $passed tests"
}

# Steps that together have output, failures, kills, transfers both ways and a terminal; see tests/master.
SCENARIOS="success exit-statuses two-streams encodings many-lines environment file-download file-upload
directory-upload copy-directory terminal total-limit stubborn-grandchild interrupt"

# The program attached to a real, native master.
attached_worker() {
    worker=$work/out/$triple/worker
    {
        echo '#!/bin/sh'
        case $emulator in
            native) echo "exec $program \"\$@\"" ;;
            *=*) echo "exec $qemu_bin/${emulator%%=*} -cpu ${emulator#*=} $program \"\$@\"" ;;
            *) echo "exec $qemu_bin/$emulator $program \"\$@\"" ;;
        esac
    } > "$worker"
    chmod +x "$worker"
    # shellcheck disable=SC2086 # Names.
    ci/master.sh --only ours --worker "$worker" $SCENARIOS || return 1
    echo "cross: a build of a real master"
}
