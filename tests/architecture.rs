//! Imports run one way: the `use` lines of src/ against DESIGN.md's table.

mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use table::{KNOW_ONLY_THE_TRAIT, MATHEMATICS, NOT_FOR_MATHEMATICS, NOT_FOR_THE_LIBRARY, TABLE, TRAIT};

const MOST_LINES: usize = 500;
const LONGEST_LINE: usize = 120;

/// One imported path: `crate::objective::Objective` is ["crate", "objective", "Objective"].
type Import = Vec<String>;

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![];
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The module a file belongs to: the first part of its path under src/.
fn module_of(file: &Path, root: &Path) -> String {
    let part = file.strip_prefix(root).unwrap().components().next().unwrap();
    Path::new(part.as_os_str()).file_stem().unwrap().to_str().unwrap().to_string()
}

/// The source without comments, strings' contents and `#[cfg(test)]` items.
fn code(text: &str) -> String {
    let mut bare = String::new();
    let mut characters = text.chars().peekable();
    let mut in_string = false;
    while let Some(c) = characters.next() {
        match (c, in_string) {
            ('\\', true) => _ = characters.next(),
            ('"', _) => in_string = !in_string,
            (_, true) => {}
            ('\'', false) => {
                // A character literal ends within three characters; anything else is a lifetime.
                let ahead: String = characters.clone().take(3).collect();
                let literal = if ahead.starts_with('\\') { ahead.chars().nth(2) } else { ahead.chars().nth(1) };
                if literal == Some('\'') {
                    characters.nth(if ahead.starts_with('\\') { 2 } else { 1 });
                }
            }
            ('/', false) if characters.peek() == Some(&'/') => {
                characters.by_ref().take_while(|&c| c != '\n').for_each(drop);
                bare.push('\n');
            }
            _ => bare.push(c),
        }
    }
    while let Some(start) = bare.find("#[cfg(test)]") {
        let rest = &bare[start..];
        let (brace, semicolon) = (rest.find('{').unwrap_or(rest.len()), rest.find(';').unwrap_or(rest.len()));
        let mut end = semicolon.min(rest.len() - 1) + 1;
        if brace < semicolon {
            let mut depth = 0;
            for (position, c) in rest[brace..].char_indices() {
                depth += i32::from(c == '{') - i32::from(c == '}');
                if depth == 0 {
                    end = brace + position + 1;
                    break;
                }
            }
        }
        bare.replace_range(start..start + end, "");
    }
    bare
}

/// All paths that the code imports by `use`, groups taken apart, and all that it writes out from `crate` or `super`.
fn imports(code: &str) -> BTreeSet<Import> {
    let mut found = vec![];
    let mut rest = code;
    while let Some(start) = rest.find("use ") {
        let begins = rest[..start].chars().next_back().is_none_or(char::is_whitespace);
        let statement = &rest[start + 4..];
        let end = statement.find(';').unwrap_or(statement.len());
        if begins {
            take_apart(&[], &statement[..end], &mut found);
        }
        rest = &statement[if begins { end } else { 0 }..];
    }
    let is_inside = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let roots = code.match_indices("crate::").chain(code.match_indices("super::"));
    for (start, _) in roots.filter(|&(start, _)| !code[..start].ends_with(is_inside)) {
        let path = code[start..].split(|c: char| !is_inside(c)).next().unwrap();
        if !path.ends_with(':') {
            found.push(path.split("::").map(str::to_string).collect());
        }
    }
    found.into_iter().collect()
}

/// `a::{b, c::d}` is a::b and a::c::d.
fn take_apart(prefix: &[String], text: &str, found: &mut Vec<Import>) {
    let text = text.trim();
    let Some(open) = text.find('{') else {
        let name = text.split(" as ").next().unwrap().trim();
        let path = name.split("::").filter(|part| !part.is_empty() && *part != "self").map(str::to_string);
        return found.push(prefix.iter().cloned().chain(path).collect());
    };
    let before = text[..open].split("::").filter(|part| !part.is_empty()).map(str::to_string);
    let prefix: Vec<_> = prefix.iter().cloned().chain(before).collect();
    let inside = &text[open + 1..text.rfind('}').unwrap_or(text.len())];
    let (mut depth, mut start) = (0, 0);
    for (position, c) in inside.char_indices().chain([(inside.len(), ',')]) {
        depth += i32::from(c == '{') - i32::from(c == '}');
        if c == ',' && depth == 0 {
            if !inside[start..position].trim().is_empty() {
                take_apart(&prefix, &inside[start..position], found);
            }
            start = position + 1;
        }
    }
}

/// What lib.rs re-exports, and from which module: `crate::Graph` is an import of `graph`.
fn exports(lib: &str) -> BTreeMap<String, String> {
    exports_of(&code(lib))
}

fn exports_of(code: &str) -> BTreeMap<String, String> {
    let exported = imports(code).into_iter().filter(|path| path.len() > 1);
    exported.map(|path| (path[path.len() - 1].clone(), path[0].clone())).collect()
}

/// Everything that the table forbids in `text`, a file of `module`.
fn violations(module: &str, text: &str, exports: &BTreeMap<String, String>) -> Vec<String> {
    let Some((_, allowed)) = TABLE.iter().find(|(name, _)| *name == module) else {
        return vec![format!("the module {module} is not in the table")];
    };
    let code = code(text);
    let mut found = vec![];
    for path in imports(&code) {
        let written = path.join("::");
        let first = path[0].as_str();
        if NOT_FOR_THE_LIBRARY.contains(&first) {
            found.push(format!("{written}: not for the library"));
        }
        if MATHEMATICS.contains(&module) && NOT_FOR_MATHEMATICS.contains(&first) {
            found.push(format!("{written}: not for mathematics"));
        }
        if first != "crate" || path.len() < 2 {
            continue;
        }
        let target = exports.get(&path[1]).unwrap_or(&path[1]).as_str();
        let known = target == module || target == "error" || allowed.contains(&"*") || allowed.contains(&target);
        if !known {
            found.push(format!("{written}: {module} must not import {target}"));
        }
        if target == "objective" && KNOW_ONLY_THE_TRAIT.contains(&module) {
            let name = path.get(2).map_or("", String::as_str);
            if !TRAIT.contains(&name) {
                found.push(format!("{written}: {module} knows only the trait Objective"));
            }
        }
    }
    found
}

/// The module that a file is, from its crate's root: `a/b.rs` is [a, b], and `a/mod.rs` [a].
fn path_of(file: &str) -> Vec<String> {
    let parts = file.trim_end_matches(".rs").split('/').map(str::to_string);
    parts.filter(|part| !["mod", "lib", "main"].contains(&part.as_str())).collect()
}

/// Where an import of `module` leads, from the crate's root; `None` out of the crate, and into one's own parts.
fn resolved(module: &[String], import: &[String]) -> Option<Vec<String>> {
    let up = import.iter().take_while(|part| *part == "super").count();
    let (above, rest) = match import.first()?.as_str() {
        "crate" => (&module[..0], &import[1..]),
        "super" => (&module[..module.len().checked_sub(up)?], &import[up..]),
        _ => return None,
    };
    Some([above, rest].concat())
}

/// All that `start` knows, itself or through others.
fn reached<'a>(knows: &'a BTreeMap<&str, BTreeSet<String>>, start: &'a str) -> BTreeSet<&'a str> {
    let (mut seen, mut next) = (BTreeSet::new(), vec![start]);
    while let Some(module) = next.pop() {
        next.extend(knows.get(module).into_iter().flatten().map(String::as_str).filter(|&to| seen.insert(to)));
    }
    seen
}

/// The circles among the modules of each room of a crate, given its files with their texts: each named once, by its
/// members.
fn circles(files: &[(String, String)]) -> BTreeSet<String> {
    let codes: BTreeMap<Vec<String>, String> = files.iter().map(|(file, text)| (path_of(file), code(text))).collect();
    let mut rooms: BTreeMap<&[String], BTreeMap<&str, BTreeSet<String>>> = BTreeMap::new();
    for (module, code) in &codes {
        for target in imports(code).iter().filter_map(|import| resolved(module, import)) {
            let shared = module.iter().zip(&target).take_while(|(one, other)| one == other).count();
            let (room, Some(from), Some(to)) = (&module[..shared], module.get(shared), target.get(shared)) else {
                continue;
            };
            // A name that the room re-exports is its owner's.
            let owner = codes.get(room).and_then(|code| exports_of(code).remove(to)).unwrap_or(to.clone());
            let is_module =
                codes.keys().any(|path| path.len() > shared && path[..shared] == *room && path[shared] == owner);
            if is_module && owner != *from {
                rooms.entry(room).or_default().entry(from).or_default().insert(owner);
            }
        }
    }
    let mut found = BTreeSet::new();
    for (room, knows) in &rooms {
        let all: BTreeMap<&str, BTreeSet<&str>> =
            knows.keys().map(|&module| (module, reached(knows, module))).collect();
        for (module, reached) in all.iter().filter(|(module, reached)| reached.contains(*module)) {
            let members = reached.iter().filter(|other| all.get(*other).is_some_and(|back| back.contains(module)));
            let members: Vec<&str> = members.copied().collect();
            found.insert(format!("{}: {}", room.join("/"), members.join(", ")));
        }
    }
    found
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The library's sources and the programs', each with its folder.
fn all_sources() -> Vec<(PathBuf, PathBuf)> {
    let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments/src");
    let with_root = |root: PathBuf| sources(&root).into_iter().map(move |file| (root.clone(), file));
    with_root(root()).chain(with_root(programs)).collect()
}

fn our_exports() -> BTreeMap<String, String> {
    exports(&fs::read_to_string(root().join("lib.rs")).unwrap())
}

#[test]
fn imports_run_one_way() {
    let exports = our_exports();
    let mut found = vec![];
    for (root, file) in all_sources().into_iter().filter(|(root, file)| !file.starts_with(root.join("bin"))) {
        let text = fs::read_to_string(&file).unwrap();
        let module = module_of(&file, &root);
        let place = file.strip_prefix(&root).unwrap().display().to_string();
        found.extend(violations(&module, &text, &exports).into_iter().map(|violation| format!("{place}: {violation}")));
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn the_table_itself_has_no_cycles() {
    let mut above = BTreeSet::new();
    for (module, allowed) in TABLE {
        for below in allowed.iter().filter(|&&below| below != "*") {
            assert!(above.contains(below), "{module} imports {below}, which is not above it in the table");
        }
        above.insert(*module);
    }
    assert!(MATHEMATICS.iter().all(|module| above.contains(module)));
}

#[test]
fn no_room_has_a_circle() {
    for crate_of in ["src", "experiments/src", "crates/autoshufflenet/src"] {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(crate_of);
        let files = sources(&root).into_iter().filter(|file| !file.starts_with(root.join("bin")));
        let place = |file: &Path| file.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
        let files: Vec<_> = files.map(|file| (place(&file), fs::read_to_string(&file).unwrap())).collect();
        assert!(files.len() > 20, "the sources were found");
        let found = circles(&files);
        assert!(found.is_empty(), "in {crate_of}, know one another:\n{}", Vec::from_iter(found).join("\n"));
    }
}

#[test]
fn planted_circles_are_seen() {
    let seen = |files: &[(&str, &str)]| {
        let files: Vec<_> = files.iter().map(|(file, text)| (file.to_string(), text.to_string())).collect();
        Vec::from_iter(circles(&files)).join("; ")
    };
    let a = ("room/a.rs", "use super::b::{self, B};");
    assert_eq!(seen(&[a, ("room/b.rs", "fn f() { super::a::f() }")]), "room: a, b");
    assert_eq!(seen(&[a, ("room/b/inner.rs", "use super::super::a::A;")]), "room: a, b");
    assert_eq!(seen(&[a, ("room/b.rs", "use crate::room::{c::C};"), ("room/c.rs", "use super::a;")]), "room: a, b, c");
    assert_eq!(seen(&[("lib.rs", "pub use a::A;"), ("a.rs", "use crate::b;"), ("b.rs", "use crate::A;")]), ": a, b");
    let reexport = ("room/mod.rs", "pub use a::A;");
    assert_eq!(seen(&[reexport, a, ("room/b.rs", "use super::A;")]), "room: a, b");
    // One way, from a test, and between a module and its own parts.
    assert_eq!(seen(&[a, ("room/b.rs", "use crate::other::a::A;"), ("other/a.rs", "")]), "");
    assert_eq!(seen(&[a, ("room/b.rs", "#[cfg(test)]\nmod tests { use super::super::a; }")]), "");
    assert_eq!(seen(&[("a/mod.rs", "use b::B;"), ("a/b.rs", "use super::A;")]), "");
}

#[test]
fn files_are_short_enough_to_be_read() {
    let sources = all_sources();
    assert!(sources.len() > 20, "the sources were found");
    for (_, file) in sources {
        let lines = fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= MOST_LINES, "{} has {lines} lines", file.display());
    }
}

/// Comments and prose; code is rustfmt's, and neither tables nor strings can be broken.
#[test]
fn lines_are_short_enough_to_be_read() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let is_prose = |line: &str, is_text: bool| {
        let line = line.trim_start();
        let text = ["//!", "///", "//"].iter().find_map(|mark| line.strip_prefix(mark));
        text.or(is_text.then_some(line)).is_some_and(|text| !text.trim_start().starts_with('|'))
    };
    let mut found = vec![];
    for folder in
        ["src", "experiments", "tests", "examples", "benches", "fuzz", "crates", "docs", "results", "paper_figures", ""]
    {
        let folder = root.join(folder);
        let texts = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        let texts = texts.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
        let sources = if folder == root { vec![] } else { sources(&folder) };
        for file in sources.into_iter().filter(|file| !file.starts_with(root.join("fuzz/target"))).chain(texts) {
            let is_text = file.extension().is_some_and(|extension| extension == "md");
            for (number, line) in fs::read_to_string(&file).unwrap().lines().enumerate() {
                if line.chars().count() > LONGEST_LINE && is_prose(line, is_text) {
                    found.push(format!("{}:{}", file.display(), number + 1));
                }
            }
        }
    }
    assert!(found.is_empty(), "longer than {LONGEST_LINE} characters:\n{}", found.join("\n"));
}

#[test]
fn planted_violations_are_seen() {
    let exports = our_exports();
    assert_eq!(exports.get("Graph").map(String::as_str), Some("graph"));
    let seen = |module: &str, text: &str| violations(module, text, &exports).len();
    assert_eq!(seen("penalty", "use crate::polytope::Face;"), 1);
    assert_eq!(seen("objective", "use crate::{error::Error, penalty::{self, Norms}};"), 2);
    assert_eq!(seen("objective", "fn f() { crate::solver::minimize() }"), 1);
    assert_eq!(seen("permutation", "use crate::Graph;"), 1);
    assert_eq!(seen("solver", "use crate::objective::{Objective, GraphMatching as Problem};"), 1);
    assert_eq!(seen("recovery", "use csv::Writer;\npub use toml;"), 2);
    assert_eq!(seen("io", "use tch::Tensor;"), 1);
    assert_eq!(seen("io", "use crate::command::run;"), 1);
    assert_eq!(seen("novelty", ""), 1);
    // And what is allowed is not: tests, comments, strings, external crates, modules that end in "use".
    assert_eq!(seen("solver", "#[cfg(test)]\nmod tests { use crate::objective::GraphMatching; fn f() { {} } }"), 0);
    assert_eq!(
        seen(
            "objective",
            "/// use crate::solver::minimize;\n// crate::penalty::Penalty\nconst T: &str = \"use csv;\";"
        ),
        0
    );
    assert_eq!(seen("objective", "fn f(c: char, s: &'static str) -> bool { c == '\"' }\nuse crate::graph::Graph;"), 0);
    assert_eq!(seen("io", "use csv::Writer; use super::text; use crate::{Error, Result};"), 0);
    // What stands after a test module still counts.
    assert_eq!(seen("penalty", "#[cfg(test)]\nmod tests { fn f() {} }\nuse crate::graph::Graph;"), 1);
}
