//! The libraries that Python's optional modules need: a table, and small programs that use each.
//!
//! The table is Doc/using/configure.rst of CPython ("Requirements for optional modules"), with the
//! oldest versions that it names.

use super::packages::Need;

/// One library.
#[derive(Debug)]
pub struct Library {
    /// Its name, for the report.
    pub name: &'static str,
    /// What brings it.
    pub need: Need,
    /// The modules of Python that are not built without it, as users import them.
    pub modules: &'static str,
    /// The modules of C, as configure and the build name them.
    pub built: &'static [&'static str],
    /// Whether a worker of the fleet should not go without.
    pub needed: bool,
    /// What pkg-config calls it.
    pub pkg_config: &'static [&'static str],
    /// Ways to use it, each a program and what it is linked with; one is enough.
    pub probes: &'static [Probe],
}

/// A way to use a library.
#[derive(Debug)]
pub struct Probe {
    /// The lines before `main`.
    pub head: &'static str,
    /// What `main` returns.
    pub value: &'static str,
    /// Options for the linker.
    pub link: &'static [&'static str],
}

const fn probe(head: &'static str, value: &'static str, link: &'static [&'static str]) -> Probe {
    Probe { head, value, link }
}

/// All of them, the most wanted first.
pub const LIBRARIES: &[Library] = &[
    Library {
        name: "zlib",
        need: Need::Zlib,
        modules: "zlib, gzip, ensurepip",
        built: &["zlib"],
        needed: true,
        pkg_config: &["zlib"],
        probes: &[probe("#include <zlib.h>", "zlibVersion() == 0", &["-lz"])],
    },
    Library {
        name: "OpenSSL",
        need: Need::OpenSsl,
        modules: "ssl, and hashlib's fast half",
        built: &["_ssl", "_hashlib"],
        needed: true,
        pkg_config: &["openssl"],
        probes: &[probe(
            "#include <openssl/opensslv.h>\n#include <openssl/ssl.h>\n\
             #if OPENSSL_VERSION_NUMBER < 0x10101000L\n#error older than OpenSSL 1.1.1\n#endif",
            "SSL_CTX_new(TLS_client_method()) == 0",
            &["-lssl", "-lcrypto"],
        )],
    },
    Library {
        name: "libffi",
        need: Need::Ffi,
        modules: "ctypes",
        built: &["_ctypes"],
        needed: true,
        pkg_config: &["libffi"],
        probes: &[
            probe(FFI, FFI_VALUE, &["-lffi"]),
            probe(
                "#include <ffi/ffi.h>\nstatic ffi_cif cif;",
                FFI_VALUE,
                &["-lffi"],
            ),
        ],
    },
    Library {
        name: "bzip2",
        need: Need::Bzip2,
        modules: "bz2",
        built: &["_bz2"],
        needed: true,
        pkg_config: &["bzip2"],
        probes: &[probe(
            "#include <bzlib.h>",
            "BZ2_bzlibVersion() == 0",
            &["-lbz2"],
        )],
    },
    Library {
        name: "liblzma",
        need: Need::Lzma,
        modules: "lzma",
        built: &["_lzma"],
        needed: true,
        pkg_config: &["liblzma"],
        probes: &[probe(
            "#include <lzma.h>",
            "lzma_version_number() == 0",
            &["-llzma"],
        )],
    },
    Library {
        name: "SQLite",
        need: Need::Sqlite,
        modules: "sqlite3",
        built: &["_sqlite3"],
        needed: true,
        pkg_config: &["sqlite3"],
        probes: &[probe(
            "#include <sqlite3.h>\n\
             #if SQLITE_VERSION_NUMBER < 3015002\n#error older than SQLite 3.15.2\n#endif",
            "sqlite3_libversion_number() == 0",
            &["-lsqlite3"],
        )],
    },
    Library {
        name: "readline",
        need: Need::Readline,
        modules: "readline (or libedit in its place)",
        built: &["readline"],
        needed: false,
        pkg_config: &["readline", "libedit"],
        probes: &[
            probe(READLINE, "readline(0) == 0", &["-lreadline"]),
            probe(READLINE, "readline(0) == 0", &["-lreadline", "-lncurses"]),
            probe(EDITLINE, "readline(0) == 0", &["-ledit"]),
            probe(READLINE, "readline(0) == 0", &["-ledit"]),
        ],
    },
    Library {
        name: "curses",
        need: Need::Curses,
        modules: "curses",
        built: &["_curses", "_curses_panel"],
        needed: false,
        pkg_config: &["ncursesw", "panelw"],
        probes: &[
            probe(CURSES, CURSES_VALUE, &["-lpanelw", "-lncursesw"]),
            probe(CURSES, CURSES_VALUE, &["-lpanelw", "-lncursesw", "-ltinfo"]),
            probe(CURSES, CURSES_VALUE, &["-lpanel", "-lncurses"]),
            probe(CURSES, CURSES_VALUE, &["-lpanel", "-lcurses"]),
        ],
    },
    Library {
        name: "zstd",
        need: Need::Zstd,
        modules: "compression.zstd (Python 3.14 and newer)",
        built: &["_zstd"],
        needed: false,
        pkg_config: &["libzstd"],
        probes: &[probe(
            "#include <zstd.h>\n#include <zdict.h>\n\
             #if ZSTD_VERSION_NUMBER < 10405\n#error older than zstd 1.4.5\n#endif",
            "ZSTD_versionNumber() == 0",
            &["-lzstd"],
        )],
    },
    Library {
        name: "gdbm",
        need: Need::Gdbm,
        modules: "dbm.gnu",
        built: &["_gdbm"],
        needed: false,
        pkg_config: &["gdbm"],
        probes: &[probe("#include <gdbm.h>", "gdbm_version == 0", &["-lgdbm"])],
    },
    Library {
        name: "ndbm",
        need: Need::Ndbm,
        modules: "dbm.ndbm",
        built: &["_dbm"],
        needed: false,
        pkg_config: &[],
        probes: &[
            probe(NDBM, NDBM_VALUE, &[]),
            probe(NDBM, NDBM_VALUE, &["-lgdbm_compat", "-lgdbm"]),
            probe(
                "#include <fcntl.h>\n#include <gdbm-ndbm.h>",
                NDBM_VALUE,
                GDBM_COMPAT,
            ),
            probe(
                "#include <fcntl.h>\n#include <gdbm/ndbm.h>",
                NDBM_VALUE,
                GDBM_COMPAT,
            ),
            probe(
                "#define DB_DBM_HSEARCH 1\n#include <fcntl.h>\n#include <db.h>",
                NDBM_VALUE,
                &["-ldb"],
            ),
        ],
    },
    Library {
        name: "Tk",
        need: Need::Tk,
        modules: "tkinter, IDLE, turtle",
        built: &["_tkinter"],
        needed: false,
        pkg_config: &["tk", "tcl"],
        probes: &[
            probe("#include <tk.h>", "Tk_Init(0)", &["-ltk8.6", "-ltcl8.6"]),
            probe(
                "#include <tcl8.6/tk.h>",
                "Tk_Init(0)",
                &["-ltk8.6", "-ltcl8.6"],
            ),
            probe("#include <tk.h>", "Tk_Init(0)", &["-ltk86", "-ltcl86"]),
        ],
    },
    Library {
        name: "uuid",
        need: Need::Uuid,
        modules: "uuid's fast half",
        built: &["_uuid"],
        needed: false,
        pkg_config: &["uuid"],
        probes: &[
            probe(
                "#include <uuid/uuid.h>",
                "(uuid_generate(id), 0)",
                &["-luuid"],
            ),
            probe("#include <uuid/uuid.h>", "(uuid_generate(id), 0)", &[]),
            probe(
                "#include <uuid.h>",
                "(uuid_create((uuid_t *)id, 0), 0)",
                &[],
            ),
        ],
    },
    Library {
        name: "libmpdec",
        need: Need::Mpdec,
        modules: "decimal's fast half (Python 3.16 and newer; older ones bring it along)",
        built: &["_decimal"],
        needed: false,
        pkg_config: &["libmpdec"],
        probes: &[probe(
            "#include <mpdecimal.h>",
            "mpd_version() == 0",
            &["-lmpdec", "-lm"],
        )],
    },
];

const FFI: &str = "#include <ffi.h>\nstatic ffi_cif cif;";
const FFI_VALUE: &str = "ffi_prep_cif(&cif, FFI_DEFAULT_ABI, 0, &ffi_type_void, 0) != FFI_OK";
const READLINE: &str = "#include <stdio.h>\n#include <readline/readline.h>";
const EDITLINE: &str = "#include <stdio.h>\n#include <editline/readline.h>";
const CURSES: &str = "#include <curses.h>\n#include <panel.h>";
const CURSES_VALUE: &str = "initscr() == 0 || new_panel(stdscr) == 0";
const NDBM: &str = "#include <fcntl.h>\n#include <ndbm.h>";
const NDBM_VALUE: &str = "dbm_open(0, O_RDONLY, 0) == 0";
const GDBM_COMPAT: &[&str] = &["-lgdbm_compat", "-lgdbm"];

impl Probe {
    /// The program.
    pub fn source(&self) -> String {
        let Probe { head, value, .. } = self;
        format!(
            "{head}\nstatic unsigned char id[16];\n\
             int main(void) {{ (void)id; return ({value}) ? 1 : 0; }}\n"
        )
    }
}

/// The library without which this module of C is not built.
pub fn library_of(module: &str) -> Option<&'static Library> {
    let mut libraries = LIBRARIES.iter();
    libraries.find(|library| library.built.contains(&module))
}

/// The library that this header, as `#include` names it, belongs to.
pub fn library_of_header(header: &str) -> Option<&'static Library> {
    // Every system has these; they stand before others that need them.
    if ["stdio.h", "fcntl.h"].contains(&header) {
        return None;
    }
    let included = format!("#include <{header}>");
    let has = |probe: &Probe| probe.head.lines().any(|line| line == included);
    LIBRARIES
        .iter()
        .find(|library| library.probes.iter().any(has))
}

/// The library that pkg-config calls so.
pub fn library_of_package(name: &str) -> Option<&'static Library> {
    let mut libraries = LIBRARIES.iter();
    libraries.find(|library| library.pkg_config.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_module_belongs_to_one_library() {
        let mut seen = Vec::new();
        for module in LIBRARIES.iter().flat_map(|library| library.built) {
            assert!(!seen.contains(module), "{module}");
            seen.push(module);
        }
        assert_eq!(
            library_of("_ctypes").map(|library| library.name),
            Some("libffi")
        );
        assert!(library_of("_struct").is_none());
    }
}
