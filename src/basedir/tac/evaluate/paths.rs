//! `os.path`, as Python computes it: on text, without looking at the disk unless it says so.

/// `os.path.join`
pub fn join(parts: &[&str]) -> String {
    let mut result = String::new();
    for part in parts {
        if part.starts_with('/') {
            result.clear();
        } else if !result.is_empty() && !result.ends_with('/') {
            result.push('/');
        }
        result.push_str(part);
    }
    result
}

/// `os.path.dirname`
pub fn directory_name(path: &str) -> &str {
    let head = &path[..path.rfind('/').map_or(0, |at| at + 1)];
    let trimmed = head.trim_end_matches('/');
    if trimmed.is_empty() { head } else { trimmed }
}

/// `os.path.basename`
pub fn base_name(path: &str) -> &str {
    &path[path.rfind('/').map_or(0, |at| at + 1)..]
}

/// `os.path.normpath`
pub fn normalise(path: &str) -> String {
    let absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if absolute => {}
            _ => parts.push(part),
        }
    }
    // Two slashes at the beginning stay two: POSIX gives them a meaning of their own.
    let root = match absolute {
        true if path.starts_with("//") && !path.starts_with("///") => "//",
        true => "/",
        false => "",
    };
    let result = format!("{root}{}", parts.join("/"));
    if result.is_empty() {
        ".".to_owned()
    } else {
        result
    }
}

/// `os.path.abspath`
pub fn absolute(directory: &str, path: &str) -> String {
    normalise(&join(&[directory, path]))
}

/// `pathlib.Path(path).parent`
pub fn parent(path: &str) -> String {
    match directory_name(path.trim_end_matches('/')) {
        "" if path.starts_with('/') => "/".to_owned(),
        "" => ".".to_owned(),
        parent => parent.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_computed_like_python_does() {
        assert_eq!(join(&["/a", "b/", "c"]), "/a/b/c");
        assert_eq!(join(&["/a", "/b"]), "/b");
        assert_eq!(join(&["", "b"]), "b");
        assert_eq!(directory_name("/a/b.tac"), "/a");
        assert_eq!(directory_name("b.tac"), "");
        assert_eq!(directory_name("/b.tac"), "/");
        assert_eq!(base_name("/a/b.tac"), "b.tac");
        assert_eq!(normalise("/a/./b/../c//"), "/a/c");
        assert_eq!(normalise("../a"), "../a");
        assert_eq!(normalise("/.."), "/");
        assert_eq!(normalise("//a"), "//a");
        assert_eq!(normalise(""), ".");
        assert_eq!(absolute("/x", "."), "/x");
        assert_eq!(absolute("/x", "/y"), "/y");
        assert_eq!(parent("/a/b"), "/a");
        assert_eq!(parent("a"), ".");
    }
}
