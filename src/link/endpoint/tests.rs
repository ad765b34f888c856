use super::*;

fn read(text: &str) -> Endpoint {
    master(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn fault(text: &str) -> String {
    match master(text) {
        Ok(endpoint) => panic!("{text}: {endpoint:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn host_and_port_are_given_by_name_by_position_or_mixed() {
    let expected = Endpoint::tcp("m.org", 9989);
    for text in [
        "tcp:m.org:9989",
        "tcp:host=m.org:port=9989",
        "tcp:port=9989:host=m.org",
        "tcp:host=m.org:9989",
        "tcp:m.org:port=9989",
        "TCP:m.org:9989",
    ] {
        assert_eq!(read(text), expected, "{text}");
    }
}

#[test]
fn colons_equals_and_backslashes_are_escaped() {
    assert_eq!(read(r"tcp:host=\:\:1:port=1").master.host, "::1");
    let tls = read(r"tls:m:1:certificate=C\:\\a\=b.pem").tls.unwrap();
    assert_eq!(tls.certificate.unwrap(), PathBuf::from(r"C:\a=b.pem"));
    // Behind the first one, an equals sign is a character like others.
    let tls = read("tls:m:1:certificate=a=b").tls.unwrap();
    assert_eq!(tls.certificate.unwrap(), PathBuf::from("a=b"));
}

#[test]
fn addresses_of_version_6_may_stand_in_brackets() {
    assert_eq!(read("tcp:[::1]:9989"), Endpoint::tcp("::1", 9989));
    assert_eq!(read("tcp:host=[fe80::1]:port=1").master.host, "fe80::1");
    assert_eq!(read("tls:[::1]:1").tls.unwrap().name, "::1");
    assert_eq!(read("tcp:[::1]:9989").master.to_string(), "[::1]:9989");
}

#[test]
fn timeout_and_local_address_belong_to_the_socket() {
    let way = read("tcp:m:1:timeout=5:bindAddress=10.0.0.7").way;
    assert_eq!(way.timeout, Duration::from_secs(5));
    assert_eq!(way.bind.unwrap().to_string(), "10.0.0.7");
    let way = read(r"tls:m:1:7:\:\:1").way;
    assert_eq!(way.timeout, Duration::from_secs(7));
    assert_eq!(way.bind.unwrap().to_string(), "::1");
    assert_eq!(read("tcp:m:1").way.timeout, TIMEOUT);
}

#[test]
fn tls_takes_twisted_s_arguments_by_position_and_by_name() {
    let by_name = read("tls:m:1:certificate=c:privateKey=k:trustRoots=/r")
        .tls
        .unwrap();
    assert_eq!(by_name.name, "m");
    assert_eq!(by_name.certificate, Some(PathBuf::from("c")));
    assert_eq!(by_name.private_key, Some(PathBuf::from("k")));
    assert_eq!(by_name.trust, Some(PathBuf::from("/r")));
    assert_eq!(read("tls:m:1:30:0.0.0.0:c:k:/r").tls.unwrap(), by_name);
    let ssl = read("ssl:m:1:certKey=c:privateKey=k:caCertsDir=/r:hostname=other.org");
    let expected = Tls {
        name: "other.org".to_owned(),
        ..by_name
    };
    assert_eq!(ssl.tls.unwrap(), expected);
}

#[test]
fn tls_can_run_in_another_endpoint() {
    let endpoint = read(r"tls:m.org:1:endpoint=tcp\:10.0.0.1\:2\:timeout=3");
    assert_eq!(endpoint.master, Authority::new("10.0.0.1", 2));
    assert_eq!(endpoint.tls.unwrap().name, "m.org");
    assert_eq!(endpoint.way.timeout, Duration::from_secs(3));
    let endpoint = read(r"tls:m.org:1:certificate=c:endpoint=socks5\:p\:1080");
    assert_eq!(
        endpoint.to_string(),
        "m.org:1 with TLS through the SOCKS5 proxy p:1080"
    );
    let endpoint = read(r"tls:m.org:1:endpoint=http\:p\:3128\:to=10.0.0.1\\\:9");
    assert_eq!(
        endpoint.to_string(),
        "10.0.0.1:9 with TLS through the proxy p:3128"
    );
    assert_eq!(endpoint.tls.unwrap().name, "m.org");
}

#[test]
fn a_proxy_in_a_connection_string_is_told_whom_to_reach() {
    let endpoint = read(r"socks5:p:1080:to=m.org\:9989:username=u:password=a\:b");
    assert_eq!(endpoint.master, Authority::new("m.org", 9989));
    let credentials = endpoint.proxy.unwrap().credentials.unwrap();
    assert_eq!(
        (credentials.user.as_str(), credentials.password.as_str()),
        ("u", "a:b")
    );
    assert!(fault("socks5:p:1080").contains("to=HOST\\:PORT"));
    assert!(fault("socks5:p:1080:to=m").contains("to must be"));
}

#[test]
fn proxies_are_endpoints_or_urls() {
    let told = |text: &str| {
        let (proxy, _) = proxy(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let credentials = proxy.credentials.map_or(String::new(), |credentials| {
            format!(" {}/{}", credentials.user, credentials.password)
        });
        format!("{:?} {}{credentials}", proxy.kind, proxy.at)
    };
    for (text, expected) in [
        ("tcp:host=p:port=3128", "Http p:3128"),
        (r"tcp:host=u\:s\:ec\@r@p:port=3128", "Http p:3128 u/s:ec@r"),
        ("tcp:p:3128:username=u:password=s", "Http p:3128 u/s"),
        ("socks5:p:1080", "Socks5 p:1080"),
        ("http://p", "Http p:80"),
        ("http://u:s%40%3a@p:3128/", "Http p:3128 u/s@:"),
        ("socks5h://[::1]:1", "Socks5 [::1]:1"),
        ("SOCKS5://p", "Socks5 p:1080"),
    ] {
        assert_eq!(told(text), expected, "{text}");
    }
}

#[test]
fn a_fault_is_named_with_its_place() {
    for (text, expected) in [
        ("", "at character 1: does not begin with a type"),
        ("tcp", "at character 1: does not begin with a type"),
        ("m.org=1:9989", "at character 1: does not begin with a type"),
        (
            "unix:/path",
            "at character 1: unknown type unix:; coracle knows tcp:, tls:, ssl:, socks5: and http:",
        ),
        ("tcp:m", "at character 6: port is missing"),
        ("tcp:port=1", "at character 11: host is missing"),
        ("tcp:m:x", "at character 7: port must be"),
        ("tcp:m:0", "at character 7: port must be"),
        ("tcp:m:65536", "at character 7: port must be"),
        ("tcp::1", "at character 5: needs the name"),
        ("tcp:host=:port=1", "at character 10: needs the name"),
        ("tcp:m:1:timeout=soon", "at character 17: timeout must be"),
        ("tcp:m:1:timeout=0", "at character 17: timeout must be"),
        (
            "tcp:m:1:bindAddress=eth0",
            "at character 21: bindAddress must be",
        ),
        (
            "tcp:m:1:speed=9",
            "at character 9: unknown argument; known are host, port, timeout, bindAddress",
        ),
        ("tcp:::1:9989", "at character 7: more than"),
        ("tcp:m:1:2", "at character 9: more than host and port"),
        ("tcp:m:1:host=n", "at character 7: more than"),
        (
            "tcp:host=m:host=n:1",
            "at character 12: host is given twice",
        ),
        ("tcp:m:1\\", "at character 8: a backslash"),
        ("tcp:[::1:1", "at character 5: the bracket"),
        ("tls:m:1:privateKey=k", "at character 9: privateKey without"),
        ("tls:m:1:certificate=", "at character 21: an empty path"),
        (
            "tls:m:1:certificate=c:certKey=d",
            "at character 23: certKey is another word",
        ),
        (
            "tls:m:1:endpoint=ssl\\:m\\:1",
            "at character 18: in endpoint, at character 1: unknown type ssl:",
        ),
        ("tcp:mäh:x", "at character 9: port must be"),
    ] {
        let said = fault(text);
        assert!(said.starts_with(expected), "{text}: {said}");
    }
    for (text, expected) in [
        ("tls:p:1", "at character 1: a proxy is reached without TLS"),
        ("ftp://p", "at character 1: a proxy's URL begins"),
        ("http://p:x", "at character 8: the proxy's port"),
        ("http://:1", "at character 8: the proxy's host"),
        ("http://p:1/path", "at character 8: a proxy's URL ends"),
        ("http://u:%zz@p", "at character 8: a %"),
        (
            "tcp:p:1:password=x",
            "at character 9: password without username",
        ),
        ("tcp:p:1:to=x", "at character 9: unknown argument"),
    ] {
        let said = proxy(text).unwrap_err().to_string();
        assert!(said.starts_with(expected), "{text}: {said}");
    }
}

#[test]
fn no_message_and_no_debug_output_shows_a_password() {
    for text in [
        "user:hunter2@p:3128",
        "hunter2@p",
        "hunter2:x@p",
        "http://u:hunter2%@p",
        "http://u:hunter2@",
        "tcp:u:hunter2@p:3128",
        "tcp:host=u:hunter2@p:port=1",
        "tcp:host=u\\:hunter2@p:port=x",
        "tcp:p:1:username=u:passwort=hunter2",
        "socks5:p:1:password=hunter2",
        "socks5:p:1:username=u:password=hunter2:timeout=x",
    ] {
        for said in [
            master(text).map_err(|error| error.to_string()).err(),
            proxy(text).map_err(|error| error.to_string()).err(),
            Some(format!("{:?} {:?}", master(text), proxy(text))),
        ] {
            assert!(!said.unwrap_or_default().contains("hunter2"), "{text}");
        }
    }
    let (proxy, way) = proxy("http://u:hunter2@p:1").unwrap();
    let endpoint = Endpoint::tcp("m", 1).through(proxy, way);
    assert!(!format!("{endpoint} {endpoint:?}").contains("hunter2"));
}

/// Whatever the text, the answer is an endpoint or an error that points into the text.
#[test]
fn no_string_brings_the_parser_down() {
    let pieces = [
        "tcp", "tls", "socks5", "http", ":", "=", "\\", "[", "]", "host", "port", "endpoint", "to",
        "9989", "m.org", "@", "://", "%", "ä", "\0", "timeout", "",
    ];
    // Numerical Recipes' generator; its upper bits will do here.
    let mut state = 5_u32;
    let mut below = |limit: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % limit
    };
    for _ in 0..20_000 {
        let count = below(12);
        let text: String = (0..count).map(|_| pieces[below(pieces.len())]).collect();
        let length = text.chars().count();
        for error in [master(&text).err(), proxy(&text).err()]
            .into_iter()
            .flatten()
        {
            assert!((1..=length + 1).contains(&error.at), "{text}: {error}");
        }
    }
}

#[test]
fn the_environment_names_the_proxy_for_this_scheme_before_that_for_all() {
    let found = |variables: &[(&str, &str)], host: &str| {
        let value = |name: &str| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        match from_environment(&Authority::new(host, 9989), value) {
            Ok(ProxyVariables::Direct) => "direct".to_owned(),
            Ok(ProxyVariables::Through(proxy, name)) => format!("{name}: {proxy}"),
            Err((name, error)) => format!("{name}: {error}"),
        }
    };
    assert_eq!(found(&[], "m"), "direct");
    assert_eq!(found(&[("http_proxy", "http://p")], "m"), "direct");
    let all = ("ALL_PROXY", "socks5://s:1");
    assert_eq!(found(&[all], "m"), "ALL_PROXY: the SOCKS5 proxy s:1");
    let https = ("HTTPS_PROXY", "p:3128");
    assert_eq!(found(&[all, https], "m"), "HTTPS_PROXY: the proxy p:3128");
    assert_eq!(
        found(&[all, ("https_proxy", "")], "m"),
        "ALL_PROXY: the SOCKS5 proxy s:1"
    );
    assert_eq!(
        found(&[("all_proxy", "p:x")], "m"),
        "all_proxy: at character 1: the proxy's port must be a number from 1 to 65535"
    );
    for (list, host, expected) in [
        ("*", "m.org", "direct"),
        ("x, m.org", "m.org", "direct"),
        (".org", "m.org", "direct"),
        ("org", "M.ORG.", "direct"),
        ("*.org", "m.org", "direct"),
        ("rg", "m.org", "the proxy"),
        ("m.org:9989", "m.org", "direct"),
        ("m.org:1", "m.org", "the proxy"),
        ("10.0.0.1", "10.0.0.1", "direct"),
        ("::1", "::1", "direct"),
        ("[::1]:9989", "::1", "direct"),
        (",", "m.org", "the proxy"),
    ] {
        let said = found(&[https, ("no_proxy", list)], host);
        assert!(said.contains(expected), "{list} {host}: {said}");
    }
}

#[test]
fn pins_are_base64_or_hexadecimal() {
    let base64 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    let hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let colons: Vec<String> = hex
        .as_bytes()
        .chunks(2)
        .map(|pair| String::from_utf8_lossy(pair).to_uppercase())
        .collect();
    for text in [
        base64.to_owned(),
        hex.to_owned(),
        colons.join(":"),
        format!("sha256//{base64}"),
        format!(" sha256:{hex} "),
    ] {
        assert_eq!(Pin::parse(&text).unwrap().to_string(), base64, "{text}");
    }
    for wrong in [
        "",
        "x",
        &hex[1..],
        &base64[..40],
        &"g".repeat(64),
        "sha1/abc",
    ] {
        assert_eq!(Pin::parse(wrong), None, "{wrong}");
    }
}
