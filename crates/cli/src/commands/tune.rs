//! `rummage tune`: how this machine embeds fastest.

use std::io::{IsTerminal, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rummage_engine::{Engine, TuneStep, Tuning};

use super::open_to_index;
use crate::{Failure, arguments::Common, text};

pub async fn tune(common: &Common, out: &mut dyn Write) -> anyhow::Result<()> {
    let engine = open_to_index(common).await?;
    let measured = measure(&engine, common).await;
    engine.close().await;
    let tuning = measured?;
    if common.json {
        serde_json::to_writer(&mut *out, &tuning)?;
        writeln!(out)?;
    } else {
        text::tuning(out, &tuning)?;
    }
    Ok(())
}

async fn measure(engine: &Engine, common: &Common) -> anyhow::Result<Tuning> {
    let told = Told::new(common.quiet);
    let measured = tokio::select! {
        measured = engine.tune(|step| told.tell(&step)) => measured.map_err(Into::into),
        _ = tokio::signal::ctrl_c() => Err(Failure::Interrupted.into()),
    };
    told.end();
    measured
}

/// A bar on a terminal, a line a turn elsewhere.
enum Told {
    Quiet,
    Bar(ProgressBar),
    Lines,
}

impl Told {
    fn new(quiet: bool) -> Self {
        if quiet {
            return Self::Quiet;
        }
        if !std::io::stderr().is_terminal() {
            return Self::Lines;
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:30} {msg}");
        Self::Bar(bar.with_style(style.expect("the template is constant")))
    }

    fn tell(&self, step: &TuneStep) {
        match self {
            Self::Quiet => {}
            Self::Bar(bar) => {
                bar.set_length(step.most as u64);
                bar.set_position(step.done as u64);
                bar.set_message(line(step));
            }
            Self::Lines => eprintln!("{}", line(step)),
        }
    }

    fn end(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

fn line(step: &TuneStep) -> String {
    let setting = step.setting;
    let threads = if setting.threads == 1 { "thread" } else { "threads" };
    let measured = match step.passages_per_second {
        Some(rate) => format!("{rate:.1} passages/s"),
        None => "no room in memory".to_owned(),
    };
    format!(
        "{} × {} {threads}, {} tokens a call: {measured}",
        setting.workers, setting.threads, setting.tokens_per_call
    )
}
