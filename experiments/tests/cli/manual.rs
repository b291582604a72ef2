//! `graph_matching completions` and `graph_matching man`.

use super::room::Room;

#[test]
fn every_shell_completes_the_commands_and_options_of_every_program() {
    let room = Room::with(&[]);
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = room.done(&format!("completions {shell}"));
        for word in ["graph_matching", "match", "certify", "restarts", "completions"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
        for (program, word) in [("two_layer", "align"), ("error_bounds", "smoke"), ("figures", "output-dir")] {
            let script = room.done(&format!("completions {shell} {program}"));
            assert!(script.contains(program) && script.contains(word), "{shell}: {program}");
        }
    }
    for wrong in ["completions", "completions tcsh", "completions bash birkhoff"] {
        assert_eq!(room.run(wrong).status.code(), Some(2), "{wrong}");
    }
}

#[test]
fn every_command_has_its_manual_page() {
    let room = Room::with(&[]);
    let page = room.done("man");
    for part in [".TH graph_matching 1", ".SH SYNOPSIS", "graph_matching\\-match(1)", "Examples:"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(room.done("man two_layer").contains(".TH two_layer 1"));

    assert_eq!(room.done("man --output-dir share/man1"), "");
    let pages = room.listing();
    for page in ["graph_matching", "graph_matching-match", "graph_matching-generate-er", "two_layer-align", "figures"] {
        let page = format!("share/man1/{page}.1");
        assert!(pages.contains_key(&page), "{page} is none of {:?}", pages.keys());
    }
    assert!(room.text("share/man1/graph_matching-match.1").contains("\\-\\-time\\-limit"));
    // The same again, over what is there.
    room.done("man --output-dir share/man1");
    assert_eq!(room.listing(), pages);
    assert_eq!(room.run("man two_layer --output-dir elsewhere").status.code(), Some(2));
}
