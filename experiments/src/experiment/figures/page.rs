//! One self-contained page with every picture.

use std::fmt::Write;

/// What the page shows of one picture.
pub(super) struct Shown {
    pub name: &'static str,
    pub question: &'static str,
    pub caption: String,
    pub command: &'static str,
    /// Where the numbers are, and at which commit they were measured.
    pub sources: Vec<(String, String)>,
    /// The picture as SVG text.
    pub svg: String,
}

const STYLE: &str = "body{font:17px/1.5 sans-serif;max-width:1160px;margin:2em auto;padding:0 1em;color:#111;background:#fff}\
figure{margin:3em 0;border-top:1px solid #ccc;padding-top:1em}svg{width:100%;height:auto;font-family:sans-serif}\
figcaption p{margin:.4em 0}code{background:#f2f2f2;padding:.1em .3em}";

/// The page's bytes.
pub(super) fn page(pictures: &[Shown]) -> String {
    let mut html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>birkhoff: figures</title>\n\
         <link rel=\"icon\" href=\"data:,\">\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>What the exact penalty does, in pictures</h1>\n\
         <p>Drawn by <code>cargo run --release --bin figures</code> from the files in <code>results/</code> alone. What each says of the paper's claims is in \
         <code>REPRODUCTION.md</code>.</p>\n"
    );
    for Shown { name, question, caption, command, sources, svg } in pictures {
        let sources = sources.iter().fold(String::new(), |mut text, (folder, commit)| {
            let _ = write!(text, " <code>{}</code> (commit {})", escaped(folder), escaped(commit));
            text
        });
        let _ = write!(
            html,
            "<figure id=\"{name}\">\n<h2>{}</h2>\n{svg}\n<figcaption>\n<p>{}</p>\n<p>Measured by <code>{}</code>; files:{sources}.</p>\n</figcaption>\n</figure>\n",
            escaped(question),
            escaped(caption),
            escaped(command),
        );
    }
    html + "</body>\n</html>\n"
}

/// Which picture answers which question, for who looks into the folder.
pub(super) fn index(pictures: &[Shown]) -> String {
    let mut text = "# Which picture answers which question\n\n\
        Drawn by `cargo run --release --bin figures` from the files in `results/` alone, each as PNG and SVG; `index.html` \
        shows\nall of them with captions and commands, and [REPRODUCTION.md](../REPRODUCTION.md) says what each says of \
        the\npaper's claims.\n\n| question | picture | numbers |\n| --- | --- | --- |\n"
        .to_string();
    for Shown { name, question, sources, .. } in pictures {
        let link = |(folder, _): &(String, String)| format!("[{folder}](../{folder})");
        let sources: Vec<String> = sources.iter().map(link).collect();
        let _ = writeln!(text, "| {question} | [{name}]({name}.png) | {} |", sources.join(", "));
    }
    text
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The same picture in fewer bytes: lines and rectangles of one look that follow one another become one path, in steps.
pub(super) fn compact(svg: &str) -> String {
    let (mut text, mut last) = (String::new(), String::new());
    let mut pen = None;
    for line in svg.lines() {
        let Some(Outline { head, points, closed }) = polyline(line).or_else(|| rectangle(line)) else {
            if !std::mem::take(&mut last).is_empty() {
                text.push_str("\"/>");
            }
            let bare = line.replace(" opacity=\"1\"", "").replace(" stroke=\"none\"", "");
            text.push_str(&bare.replace(" font-family=\"sans-serif\"", ""));
            continue;
        };
        if head != last {
            text.push_str(if last.is_empty() { "" } else { "\"/>" });
            text.push_str(&head);
            (last, pen) = (head, None);
        }
        draw(&points, closed, &mut pen, &mut text);
    }
    text
}

type Place = (i32, i32);

/// A line through points, or around them.
struct Outline {
    /// The path's beginning, up to where its points stand.
    head: String,
    points: Vec<Place>,
    closed: bool,
}

/// Appends an outline, from where the pen is.
fn draw(points: &[Place], closed: bool, pen: &mut Option<Place>, text: &mut String) {
    let Some(&start) = points.first() else { return };
    let _ = match *pen {
        None => write!(text, "M{},{}", start.0, start.1),
        Some((x, y)) => write!(text, "m{},{}", start.0 - x, start.1 - y),
    };
    for (&(x, y), &to) in points.iter().zip(&points[1..]) {
        let _ = match (to.0 - x, to.1 - y) {
            (step, 0) => write!(text, "h{step}"),
            (0, step) => write!(text, "v{step}"),
            (right, down) => write!(text, "l{right},{down}"),
        };
    }
    if closed {
        text.push('z');
    }
    *pen = if closed { Some(start) } else { points.last().copied() };
}

/// The value of an attribute.
fn attribute<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let start = line.find(&format!(" {name}=\""))? + name.len() + 3;
    line[start..].split('"').next()
}

fn polyline(line: &str) -> Option<Outline> {
    let rest = line.strip_prefix("<polyline fill=\"none\" opacity=\"1\" ")?;
    let (color, width) = (attribute(line, "stroke")?, attribute(line, "stroke-width")?);
    let points = rest.ends_with("/>").then(|| attribute(line, "points"))??;
    let point = |point: &str| {
        let (x, y) = point.split_once(',')?;
        Some((x.parse().ok()?, y.parse().ok()?))
    };
    let points = points.split_whitespace().map(point).collect::<Option<Vec<Place>>>()?;
    let head = format!("<path fill=\"none\" stroke=\"{color}\" stroke-width=\"{width}\" d=\"");
    (!points.is_empty()).then_some(Outline { head, points, closed: false })
}

fn rectangle(line: &str) -> Option<Outline> {
    let whole = line.starts_with("<rect ") && line.ends_with(" stroke=\"none\"/>") && line.contains(" opacity=\"1\"");
    let of = |name| attribute(line, name).filter(|_| whole)?.parse::<i32>().ok();
    let (x, y, width, height) = (of("x")?, of("y")?, of("width")?, of("height")?);
    let head = format!("<path fill=\"{}\" d=\"", attribute(line, "fill")?);
    let points = vec![(x, y), (x + width, y), (x + width, y + height), (x, y + height)];
    Some(Outline { head, points, closed: true })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_one_look_become_one_path() {
        let line = |points: &str| {
            format!("<polyline fill=\"none\" opacity=\"1\" stroke=\"#1\" stroke-width=\"2\" points=\"{points} \"/>\n")
        };
        let svg = format!("<svg>\n{}{}<circle opacity=\"1\"/>\n</svg>", line("1,2 3,4"), line("5,6 7,6"));
        let expected =
            "<svg><path fill=\"none\" stroke=\"#1\" stroke-width=\"2\" d=\"M1,2l2,2m2,2h2\"/><circle/></svg>";
        assert_eq!(compact(&svg), expected);
        let rectangle = "<rect x=\"1\" y=\"2\" width=\"3\" height=\"4\" opacity=\"1\" fill=\"#2\" stroke=\"none\"/>\n";
        let twice = format!("{rectangle}{}</svg>", rectangle.replace("x=\"1\"", "x=\"9\""));
        assert_eq!(compact(&twice), "<path fill=\"#2\" d=\"M1,2h3v4h-3zm8,0h3v4h-3z\"/></svg>");
    }

    #[test]
    fn text_cannot_become_markup() {
        let shown = Shown {
            name: "x",
            question: "q?",
            caption: "a < b & c".into(),
            command: "c > d",
            sources: vec![("results/x".into(), "none".into())],
            svg: "<svg></svg>".into(),
        };
        let html = page(&[shown]);
        assert!(html.contains("a &lt; b &amp; c") && html.contains("c &gt; d") && html.contains("<svg></svg>"));
    }
}
