//! A report as a picture: what every stage took, and memory over time.

use std::fmt::Write;

use super::report::{Measure, Report, Unit};
use super::summary::Summary;

const WIDTH: f64 = 760.0;
const LEFT: f64 = 150.0;
const RIGHT: f64 = 90.0;
const TOP: f64 = 56.0;
const ROW: f64 = 26.0;
const CURVE: f64 = 140.0;

/// The picture as SVG, readable on a light and on a dark ground.
pub fn draw(report: &Report) -> String {
    let stages: Vec<&Measure> =
        report.measures.iter().filter(|measure| measure.unit == Unit::Milliseconds).collect();
    let bars = stages.len() as f64 * ROW;
    let curve = if report.memory.len() > 1 { CURVE + 60.0 } else { 0.0 };
    let height = TOP + bars + curve + 20.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
    );
    let runs = if report.runs == 1 { "1 run" } else { &format!("{} runs", report.runs) };
    let title = format!("{:?} · {} · {} · {runs}", report.kind, report.model, report.processor);
    text(&mut svg, 16.0, 26.0, "start", &title);
    let most = stages.iter().map(|stage| stage.summary.max).fold(1e-9, f64::max);
    let scale = (WIDTH - LEFT - RIGHT) / most;
    for (place, Measure { name, summary, .. }) in stages.iter().enumerate() {
        let y = TOP + place as f64 * ROW;
        let Summary { median, min, max, .. } = summary;
        text(&mut svg, LEFT - 8.0, y + 14.0, "end", name);
        let _ = writeln!(
            svg,
            "<rect x=\"{LEFT}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"18\" fill=\"#4f6bed\"/>",
            median * scale
        );
        // From the fastest run to the slowest.
        let _ = writeln!(
            svg,
            "<path d=\"M{:.1} {middle:.1}H{end:.1}M{end:.1} {:.1}v8\" stroke=\"#1b1b1f\" fill=\"none\"/>",
            LEFT + min * scale,
            y + 5.0,
            middle = y + 9.0,
            end = LEFT + max * scale,
        );
        let x = LEFT + max * scale + 6.0;
        text(&mut svg, x, y + 14.0, "start", &format!("{median:.1} ms"));
    }
    if curve > 0.0 {
        draw_memory(&mut svg, &report.memory, TOP + bars + 40.0);
    }
    svg.push_str("</svg>\n");
    svg
}

fn draw_memory(svg: &mut String, memory: &[(f64, u64)], y: f64) {
    let megabytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let most = memory.iter().map(|(_, bytes)| megabytes(*bytes)).fold(1.0, f64::max);
    let seconds = memory.last().map_or(1.0, |(at, _)| at.max(1e-9));
    let width = WIDTH - LEFT - RIGHT;
    let points: Vec<String> = memory
        .iter()
        .map(|(at, bytes)| {
            let (x, up) = (at / seconds * width, megabytes(*bytes) / most * CURVE);
            format!("{:.1},{:.1}", LEFT + x, y + CURVE - up)
        })
        .collect();
    let _ = writeln!(
        svg,
        "<path d=\"M{LEFT} {y:.1}v{CURVE}h{width:.1}\" stroke=\"#8a8a94\" fill=\"none\"/>\n\
         <polyline points=\"{}\" stroke=\"#4f6bed\" stroke-width=\"2\" fill=\"none\"/>",
        points.join(" ")
    );
    text(svg, LEFT - 8.0, y + 10.0, "end", &format!("{most:.0} MB"));
    text(svg, LEFT - 8.0, y + CURVE, "end", "memory 0");
    text(svg, LEFT + width, y + CURVE + 16.0, "end", &format!("{seconds:.0} s"));
}

fn text(svg: &mut String, x: f64, y: f64, anchor: &str, text: &str) {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"#1b1b1f\">{escaped}</text>"
    );
}
