//! Names and files.

use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use crate::common::Place;

#[test]
fn names_are_bytes() {
    let bytes = b"a\xff\xfe b\n".to_vec();
    let name = ports::name_from_bytes(bytes.clone());
    assert_eq!(&*ports::name_bytes(&name), &bytes[..]);
    let place = Place::new();
    // A system whose names are text refuses; it must not change them.
    if fs::write(place.0.join(&name), "x").is_ok() {
        let entry = fs::read_dir(&place.0).unwrap().next().unwrap().unwrap();
        assert_eq!(ports::name_bytes(&entry.file_name()), bytes);
    }
}

#[test]
fn stat_tells_of_the_file_or_of_the_link() {
    let place = Place::new();
    fs::write(place.at("file"), "12345").unwrap();
    ports::set_mode(&place.at("file"), 0o640).unwrap();
    ports::make_link(Path::new("file"), &place.at("link")).unwrap();
    let file = ports::stat(&place.at("file"), false).unwrap();
    assert_eq!((file.mode, file.size, file.links), (0o100640, 5, 1));
    assert!(file.modified.0 > 1_600_000_000 && file.modified.1 < 1_000_000_000);
    assert_eq!(
        ports::stat(&place.at("link"), true).unwrap().inode,
        file.inode
    );
    let link = ports::stat(&place.at("link"), false).unwrap();
    assert_eq!(link.mode & 0o170000, 0o120000);
    assert_eq!(link.size, 4);
    let error = ports::stat(&place.at("none"), false).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(fs::read_link(place.at("link")).unwrap(), Path::new("file"));
}

#[test]
fn mode_has_all_its_bits() {
    let place = Place::new();
    fs::create_dir(place.at("directory")).unwrap();
    ports::set_mode(&place.at("directory"), 0o1755).unwrap();
    let found = ports::stat(&place.at("directory"), false).unwrap();
    assert_eq!(found.mode & 0o7777, 0o1755);
}

#[test]
fn attributes_are_copied() {
    let place = Place::new();
    fs::write(place.at("from"), "").unwrap();
    fs::write(place.at("to"), "").unwrap();
    ports::set_mode(&place.at("from"), 0o4751).unwrap();
    let mut model = ports::stat(&place.at("from"), false).unwrap();
    model.accessed = (1_000_000_000, 123_456_000);
    model.modified = (-86_400, 0);
    ports::copy_attributes(&place.at("to"), &model).unwrap();
    let found = ports::stat(&place.at("to"), false).unwrap();
    assert_eq!(found.mode, model.mode);
    assert_eq!((found.uid, found.gid), (model.uid, model.gid));
    assert_eq!(found.modified, model.modified);
    // Some file systems keep whole seconds.
    assert_eq!(found.accessed.0, model.accessed.0);
}

#[test]
fn attributes_of_a_link_do_not_touch_what_it_points_to() {
    let place = Place::new();
    fs::write(place.at("file"), "").unwrap();
    ports::set_mode(&place.at("file"), 0o600).unwrap();
    ports::make_link(Path::new("file"), &place.at("link")).unwrap();
    let before = ports::stat(&place.at("file"), false).unwrap();
    let mut model = ports::stat(&place.at("link"), false).unwrap();
    model.modified = (1_000_000_000, 0);
    ports::copy_attributes(&place.at("link"), &model).unwrap();
    let after = ports::stat(&place.at("file"), false).unwrap();
    assert_eq!((after.mode, after.modified), (before.mode, before.modified));
    let link = ports::stat(&place.at("link"), false).unwrap();
    assert_eq!(link.modified, model.modified);
    // Also one that points nowhere.
    ports::make_link(Path::new("nowhere"), &place.at("dangling")).unwrap();
    ports::copy_attributes(&place.at("dangling"), &model).unwrap();
}

#[test]
fn attributes_of_nothing_are_an_error() {
    let place = Place::new();
    let model = ports::stat(&place.0, false).unwrap();
    let error = ports::copy_attributes(&place.at("none"), &model).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn named_pipe_is_made_like_another() {
    let place = Place::new();
    fs::write(place.at("file"), "").unwrap();
    let mut model = ports::stat(&place.at("file"), false).unwrap();
    model.mode = 0o010600;
    ports::make_node(&place.at("pipe"), &model).unwrap();
    let found = fs::symlink_metadata(place.at("pipe")).unwrap();
    assert!(found.file_type().is_fifo());
    let again = ports::make_node(&place.at("pipe"), &model).unwrap_err();
    assert_eq!(again.kind(), ErrorKind::AlreadyExists);
}

#[test]
fn device_node_stands_for_the_same_device_or_is_refused() {
    let place = Place::new();
    let model = ports::stat(Path::new("/dev/null"), true).unwrap();
    if ports::make_node(&place.at("null"), &model).is_ok() {
        let found = ports::stat(&place.at("null"), false).unwrap();
        assert_eq!(found.node, model.node);
        assert_eq!(found.mode & 0o170000, 0o020000);
    }
}

#[test]
fn names_with_a_nul_byte_are_refused() {
    let path = Path::new(OsStr::from_bytes(b"a\0b"));
    let model = ports::stat(Path::new("/"), true).unwrap();
    assert!(ports::stat(path, true).is_err());
    assert!(ports::set_mode(path, 0o600).is_err());
    assert!(ports::make_node(path, &model).is_err());
    assert!(ports::make_link(path, path).is_err());
    assert!(ports::copy_attributes(path, &model).is_err());
}
