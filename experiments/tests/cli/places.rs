//! Places that outputs go to: files under several names, streams, and what can be written when something cannot.

use super::room::{HEXAGON, Room};
use std::process::Stdio;

#[test]
fn a_file_is_one_output_whatever_it_is_called() {
    let room = Room::with_regular_graphs();
    std::fs::create_dir(room.0.path().join("folder")).unwrap();
    let absolute = room.0.path().join("out.x");
    for again in ["./out.x", "folder/../out.x", absolute.to_str().unwrap()] {
        let message = format!("{again}: is given for two outputs: it is out.x");
        room.refused(&format!("match a.edges b.edges --output out.x --report {again}"), &message);
    }
    for input in ["./b.edges", "folder/../b.edges", room.0.path().join("b.edges").to_str().unwrap()] {
        let message = format!("{input}: is an input, and would be overwritten");
        room.refused(&format!("match a.edges b.edges --output {input}"), &message);
    }
    room.refused("match a.edges b.edges --output out/", "out/: is called as a folder is");
    // Its own input is not overwritten by a copy either.
    room.done("generate er --n 5 --rho 0.5 --output-dir folder");
    room.refused("generate copy folder/a.edges --output-dir ./folder", "./folder/a.edges: is an input");
}

#[cfg(unix)]
#[test]
fn links_do_not_hide_what_a_file_is() {
    use std::os::unix::fs::symlink;
    let room = Room::with_regular_graphs();
    let name = |name: &str| room.0.path().join(name);
    std::fs::hard_link(name("b.edges"), name("hard")).unwrap();
    symlink("b.edges", name("soft")).unwrap();
    symlink("new", name("dangling")).unwrap();
    for input in ["hard", "soft"] {
        room.refused(&format!("match a.edges b.edges --output {input}"), &format!("{input}: is an input"));
    }
    room.refused(
        "match a.edges b.edges --output new --report dangling",
        "dangling: is given for two outputs: it is new",
    );
    room.done("match a.edges b.edges --output dangling");
    assert!(room.pairs("new").len() == 6 && std::fs::symlink_metadata(name("dangling")).unwrap().is_symlink());
    // What comes from a file by redirection is read from that file.
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_graph_matching"));
    command.args(["match", "-", "b.edges", "--output", "a.edges"]).current_dir(room.0.path());
    let output = command.stdin(std::fs::File::open(name("a.edges")).unwrap()).output().unwrap();
    assert_eq!((output.status.code(), room.text("a.edges").as_str()), (Some(2), HEXAGON));
}

#[cfg(unix)]
#[test]
fn a_replaced_output_keeps_its_mode_and_a_protected_one_stays() {
    use std::os::unix::fs::PermissionsExt;
    let room = Room::with_regular_graphs();
    let path = room.0.path().join("secret.csv");
    std::fs::write(&path, "old").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    room.done("match a.edges b.edges --output secret.csv --quiet");
    assert_eq!(room.pairs("secret.csv").len(), 6);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400)).unwrap();
    // Who may write everything may write this, too.
    if std::fs::OpenOptions::new().write(true).open(&path).is_err() {
        room.refused("match a.edges b.edges --output secret.csv", "secret.csv: Permission denied");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn streams_are_outputs() {
    let room = Room::with_regular_graphs();
    let answer = room.done("match a.edges b.edges --output -");
    assert!(answer.starts_with("a,b\n") && answer.lines().count() == 7, "{answer}");
    for name in ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
        assert_eq!(room.done(&format!("match a.edges b.edges --output {name}")), answer, "{name}");
        let message = format!("{name}: is given for two outputs: it is -");
        room.refused(&format!("match a.edges b.edges --output - --report {name}"), &message);
    }
    room.done("match a.edges b.edges --output /dev/null --report /dev/null --trace /dev/null --plot /dev/null");
    assert_eq!(room.listing().len(), 2, "nothing has come to lie in the folder");

    // Redirected into a file, standard output is that file's rest, and the file is not replaced.
    let redirected = |arguments: &str| {
        let file = std::fs::File::create(room.0.path().join("all")).unwrap();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_graph_matching"));
        command.args(arguments.split(' ')).current_dir(room.0.path()).stdout(file);
        assert!(command.status().unwrap().success());
        room.text("all")
    };
    assert_eq!(redirected("match a.edges b.edges --output /dev/stdout"), answer);
    assert_eq!(redirected("match a.edges b.edges --output /dev/fd/1"), answer);

    // A pipe that has a name.
    assert!(std::process::Command::new("mkfifo").arg(room.0.path().join("pipe")).status().unwrap().success());
    let reader =
        std::process::Command::new("cat").arg("pipe").current_dir(room.0.path()).stdout(Stdio::piped()).spawn();
    room.done("match a.edges b.edges --output pipe");
    assert_eq!(reader.unwrap().wait_with_output().unwrap().stdout, answer.as_bytes());
    let output = room.run("match a.edges b.edges --output pipe --report ./pipe");
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.starts_with("error: ./pipe: is given for two outputs: it is pipe"), "{stderr}");
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_written_keeps_nothing_else_from_it() {
    let room = Room::with_regular_graphs();
    let output = room.run("match a.edges b.edges --output /dev/full --report report.json --trace trace.csv");
    let (said, stderr) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(
        (output.status.code(), stderr.as_str()),
        (Some(2), "error: /dev/full: No space left on device (os error 28)\n")
    );
    assert!(said.contains("written       report.json, trace.csv\n"), "{said}");
    assert!(room.json("report.json").is_object() && room.text("trace.csv").lines().count() > 1);
    // Nobody listens any more: no error.
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_graph_matching"));
    command.args(["match", "a.edges", "b.edges", "--output", "/dev/stdout", "--report", "report.json"]);
    let mut child = command.current_dir(room.0.path()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    room.refused("match a.edges b.edges --output /dev/fd/987654", "/dev/fd/987654: is no file descriptor that is open");
}
