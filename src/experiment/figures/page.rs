//! One self-contained page with every picture.

use std::fmt::Write;

/// What the page shows of one picture.
pub(super) struct Shown {
    pub name: &'static str,
    pub caption: String,
    pub command: &'static str,
    /// Where the numbers are, and at which commit they were measured.
    pub sources: Vec<(String, String)>,
    /// The picture as SVG text.
    pub svg: String,
}

const STYLE: &str = "body{font:17px/1.5 sans-serif;max-width:1160px;margin:2em auto;padding:0 1em;color:#111;background:#fff}\
figure{margin:3em 0;border-top:1px solid #ccc;padding-top:1em}svg{width:100%;height:auto}\
figcaption p{margin:.4em 0}code{background:#f2f2f2;padding:.1em .3em}";

/// The page's bytes.
pub(super) fn page(pictures: &[Shown]) -> String {
    let mut html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>birkhoff: figures</title>\n\
         <link rel=\"icon\" href=\"data:,\">\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>What the exact penalty does, in pictures</h1>\n\
         <p>Drawn by <code>cargo run --release --bin figures</code> from the files in <code>results/</code> alone. What each says of the paper's claims is in \
         <code>REPRODUCTION.md</code>.</p>\n"
    );
    for Shown { name, caption, command, sources, svg } in pictures {
        let sources = sources.iter().fold(String::new(), |mut text, (folder, commit)| {
            let _ = write!(text, " <code>{}</code> (commit {})", escaped(folder), escaped(commit));
            text
        });
        let _ = write!(
            html,
            "<figure id=\"{name}\">\n{svg}\n<figcaption>\n<p>{}</p>\n<p>Measured by <code>{}</code>; files:{sources}.</p>\n</figcaption>\n</figure>\n",
            escaped(caption),
            escaped(command),
        );
    }
    html + "</body>\n</html>\n"
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup() {
        let shown = Shown {
            name: "x",
            caption: "a < b & c".into(),
            command: "c > d",
            sources: vec![("results/x".into(), "none".into())],
            svg: "<svg></svg>".into(),
        };
        let html = page(&[shown]);
        assert!(html.contains("a &lt; b &amp; c") && html.contains("c &gt; d") && html.contains("<svg></svg>"));
    }
}
