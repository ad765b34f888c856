use super::*;
use crate::basedir::{
    AllowShutdown, LogTarget, MasterAddress, Protocol, Rotation, Settings, read_with,
    test_directory,
};
use crate::calls::Fact;

fn worker(basedir: PathBuf) -> NewWorker {
    NewWorker {
        basedir,
        relocatable: false,
        master: NewMaster {
            host: "master.example.org".to_owned(),
            port: 9989,
        },
        name: "w".to_owned(),
        password: Secret::new("p".to_owned()),
        log: Some((10_000_000, Typed("10".to_owned()))),
        keepalive: 600,
        umask: Typed::none(),
        max_delay: 300,
        cpus: Typed::none(),
        allow_shutdown: None,
        max_retries: Typed::none(),
        tls: false,
        delete_leftover_dirs: false,
        connection_string: None,
        proxy: None,
        protocol: "pb".to_owned(),
    }
}

fn created(worker: &NewWorker) -> Vec<String> {
    let mut said = Vec::new();
    create(worker, &mut |line| said.push(line.to_owned())).unwrap();
    said
}

fn read(directory: &Path) -> Settings {
    read_with(directory, Vec::new()).unwrap()
}

#[test]
fn a_new_directory_is_told_line_by_line_and_can_be_read() {
    let parent = test_directory("create");
    let directory = parent.join("w");
    let shown = directory.display();
    assert_eq!(
        created(&worker(directory.clone())),
        [
            format!("mkdir {shown}"),
            format!("mkdir {shown}/info"),
            "Creating info/admin, you need to edit it appropriately.".to_owned(),
            "Creating info/host, you need to edit it appropriately.".to_owned(),
            "Not creating info/access_uri - add it if you wish".to_owned(),
            format!("Please edit the files in {shown}/info appropriately."),
        ]
    );
    let settings = read(&directory);
    assert_eq!(settings.master.to_string(), "master.example.org:9989");
    assert_eq!(settings.delete_leftover_dirs, Fact::Int(0));
    assert_eq!(settings.notes, [""; 0]);
    let mode = ports::stat(&directory.join("buildbot.tac"), true)
        .unwrap()
        .mode;
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_second_time_changes_nothing() {
    let directory = test_directory("create-again");
    let mut worker = worker(directory.clone());
    created(&worker);
    fs::write(directory.join("info/host"), "mine").unwrap();
    let said = created(&worker);
    assert_eq!(
        said,
        [
            "updating existing installation",
            "buildbot.tac already exists and is correct",
            "Not creating info/access_uri - add it if you wish",
        ]
    );
    worker.keepalive = 5;
    let before = fs::read(directory.join("buildbot.tac")).unwrap();
    let said = created(&worker);
    assert_eq!(
        said[1..3],
        [
            "not touching existing buildbot.tac",
            "creating buildbot.tac.new instead"
        ]
    );
    assert_eq!(fs::read(directory.join("buildbot.tac")).unwrap(), before);
    assert_eq!(fs::read(directory.join("info/host")).unwrap(), b"mine");
    let new = directory.join("buildbot.tac.new");
    assert_eq!(ports::stat(&new, true).unwrap().mode & 0o777, 0o600);
}

#[test]
fn every_option_comes_back_when_the_file_is_read() {
    let directory = test_directory("create-options");
    let worker = NewWorker {
        relocatable: true,
        name: "it's".to_owned(),
        password: Secret::new("a\"b'c\\d\né".to_owned()),
        log: None,
        keepalive: 0,
        umask: Typed::parse("0o27").unwrap(),
        cpus: Typed::parse("4").unwrap(),
        allow_shutdown: Some("file".to_owned()),
        max_retries: Typed::parse("0").unwrap(),
        delete_leftover_dirs: true,
        connection_string: Some("tls:h:9989".to_owned()),
        protocol: "msgpack_experimental_v7".to_owned(),
        ..worker(directory.clone())
    };
    created(&worker);
    let settings = read(&directory);
    assert_eq!(settings.basedir, directory);
    assert_eq!(settings.name, "it's");
    assert_eq!(settings.password, worker.password);
    assert_eq!(settings.log, LogTarget::Unset);
    assert_eq!((settings.keepalive, settings.umask), (None, Some(0o27)));
    assert_eq!((settings.cpus, settings.max_retries), (Some(4), Some(0)));
    assert_eq!(settings.allow_shutdown, Some(AllowShutdown::File));
    assert_eq!(settings.delete_leftover_dirs, Fact::Int(1));
    assert_eq!(
        settings.master,
        MasterAddress::Endpoint(Secret::new("tls:h:9989".to_owned()))
    );
    assert_eq!(settings.protocol, Protocol::MsgpackV7);
}

#[test]
fn the_log_settings_come_back_when_the_file_is_read() {
    let directory = test_directory("create-log");
    let worker = NewWorker {
        log: Some((0, Typed::none())),
        proxy: Some("tcp:p:3128".to_owned()),
        ..worker(directory.clone())
    };
    created(&worker);
    let settings = read(&directory);
    let rotation = Rotation {
        length: None,
        files: None,
    };
    let path = directory.join("twistd.log");
    assert_eq!(settings.log, LogTarget::File { path, rotation });
    assert_eq!(
        settings.proxy.as_ref().map(Secret::expose),
        Some("tcp:p:3128")
    );
}

#[test]
fn numbers_are_taken_as_the_python_tool_takes_them() {
    for valid in ["None", "0", "1", "10", "0o22", "0o0"] {
        assert_eq!(Typed::parse(valid), Some(Typed(valid.to_owned())));
    }
    for wrong in ["", "022", "-1", "0x1f", "0o", "0o8", "1.5", "none", " 1"] {
        assert_eq!(Typed::parse(wrong), None, "{wrong}");
    }
}

#[test]
fn what_the_system_refuses_is_told_with_its_path() {
    let directory = test_directory("create-fails").join("no/parent");
    let error = create(&worker(directory.clone()), &mut |_| {}).unwrap_err();
    let expected = format!(
        "cannot make directory {}: No such file or directory",
        directory.display()
    );
    assert_eq!(error.to_string(), expected);
}
