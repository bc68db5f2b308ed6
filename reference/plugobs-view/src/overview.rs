//! A run as a whole: its tests, its plugins, its counts.

use plugobs_core::sanitise;
use plugobs_runfile::manifest::InstanceEntry;
use plugobs_runfile::read::overview::{Counts, InstanceOverview, TestOverview, instance_labels};
use plugobs_runfile::{Life, Overview};

use crate::page::{BAD, BOLD, DIM, GOOD, Line, PLAIN, Page, WARN, width};
use crate::record::record_line;
use crate::{Look, units};

/// A run: what `show` prints without a test.
pub fn overview(overview: &Overview, look: &Look) -> String {
    let mut page = Page::new(look);
    title(&mut page, overview);
    page.heading("Tests");
    tests(&mut page, overview);
    page.heading("Plugins");
    for instance in &overview.instances {
        self::instance(&mut page, instance);
    }
    if overview.instances.is_empty() {
        page.line(Line::new().add(DIM, "  none"));
    }
    page.heading("Records");
    counts(&mut page, overview);
    quarantined(&mut page, overview);
    damaged(&mut page, overview);
    if !overview.failures.is_empty() {
        page.heading("Failures");
        for failure in &overview.failures {
            let name = &failure.plugin_name;
            let line = Line::new()
                .add(PLAIN, "  ")
                .add(BOLD, name)
                .add(BAD, &format!("  {}", failure.code))
                .add(PLAIN, &format!("  {}", failure.message));
            page.line(line);
        }
    }
    page.finish()
}

fn title(page: &mut Page, overview: &Overview) {
    let manifest = &overview.manifest;
    let mut line = Line::new().add(BOLD, &format!("run {}", manifest.run.run_id));
    match (overview.life, manifest.ended_at) {
        (Life::Finished, Some(ended)) => {
            let took = units::between(manifest.run.started_at, ended);
            line.push(GOOD, &format!("  finished after {}", units::duration(took)));
        }
        (Life::Finished, None) => line.push(GOOD, "  finished"),
        (Life::Running, _) => line.push(WARN, "  goes on"),
        (Life::Left, _) => line.push(BAD, "  was not ended: its driver died"),
    }
    page.line(line);
    let driver = &manifest.run.driver;
    if !driver.name.is_empty() {
        let text = format!("{} {}, process {}", driver.name, driver.version, driver.pid);
        page.line(Line::new().add(DIM, "  driver  ").add(PLAIN, &text));
        let started = manifest.run.started_at.to_string();
        page.line(Line::new().add(DIM, "  began   ").add(PLAIN, &started));
    }
    if let Some(session) = &manifest.run.session {
        page.line(Line::new().add(DIM, "  session ").add(PLAIN, &session.id));
    }
}

fn tests(page: &mut Page, overview: &Overview) {
    let columns = overview
        .tests
        .iter()
        .map(|test| width(&sanitise::line(&test.test_run_id)))
        .max()
        .unwrap_or(0)
        .min(48);
    for test in &overview.tests {
        page.line(test_line(test, columns));
    }
    if overview.tests.is_empty() {
        page.line(Line::new().add(DIM, "  none"));
    }
    if overview.outside_tests.records > 0 {
        let mut line = Line::new().add(DIM, "  outside of any test: ");
        line.push(PLAIN, &said(&overview.outside_tests));
        page.line(line);
    }
}

fn test_line(test: &TestOverview, columns: usize) -> Line {
    let outcome = test.info.as_ref().and_then(|info| info.outcome.as_deref());
    let style = match outcome {
        Some("passed") => GOOD,
        Some("failed") => BAD,
        _ => WARN,
    };
    let mut line = Line::new()
        .add(PLAIN, "  ")
        .padded(style, outcome.unwrap_or("unfinished"), 10)
        .add(PLAIN, "  ")
        .padded(BOLD, &test.test_run_id, columns);
    if let Some(info) = &test.info
        && let Some(ended) = info.ended_at
    {
        let took = units::duration(units::between(info.began_at, ended));
        line.push(PLAIN, &format!("  {took}"));
    }
    line.push(PLAIN, &format!("  {}, ", units::count(test.calls, "call")));
    line.push(PLAIN, &said(&test.counts));
    line
}

fn instance(page: &mut Page, instance: &InstanceOverview) {
    let mut line = Line::new().add(PLAIN, "  ");
    if let Some(entry) = &instance.entry {
        let info = &entry.info;
        line.push(BOLD, &format!("{} {}  ", info.name, info.version));
    }
    line.push(DIM, &instance.plugin_instance_id);
    match &instance.entry {
        Some(entry) => end(&mut line, entry),
        None => line.push(WARN, "  is not in the manifest"),
    }
    line.push(PLAIN, &format!("  {}", said(&instance.counts)));
    page.line(line);
}

fn end(line: &mut Line, entry: &InstanceEntry) {
    let style = if entry.died() { BAD } else { GOOD };
    match (entry.info.exit_code, entry.info.signal) {
        (Some(code), _) => line.push(style, &format!("  exit code {code}")),
        (None, Some(signal)) => line.push(style, &format!("  signal {signal}")),
        (None, None) if entry.info.ended_at.is_some() => line.push(PLAIN, "  ended"),
        (None, None) => line.push(WARN, "  end not seen"),
    }
    let cut = [&entry.stderr, &entry.stdout].into_iter().flatten();
    let cut: u64 = cut.map(|output| output.cut_bytes).sum();
    if cut > 0 {
        line.push(WARN, &format!("  {} of raw output cut", units::bytes(cut)));
    }
}

/// What records say, as far as there are some: `2 messages, 12 log records (1 WARN)`.
fn said(counts: &Counts) -> String {
    let mut parts = vec![
        units::count(counts.user, "message"),
        units::count(counts.log_records(), "log record"),
    ];
    let grave: Vec<_> = Counts::LEVELS
        .iter()
        .zip(counts.log)
        .skip(3)
        .filter(|(_, n)| *n > 0)
        .map(|(name, n)| format!("{n} {name}"))
        .collect();
    if !grave.is_empty() {
        parts[1].push_str(&format!(" ({})", grave.join(", ")));
    }
    if counts.dropped > 0 {
        parts.push(format!("{} dropped", counts.dropped));
    }
    parts.join(", ")
}

fn counts(page: &mut Page, overview: &Overview) {
    let counts = &overview.counts;
    let line = format!(
        "  {}: {}, {}, {} of lifecycle",
        units::count(counts.records, "record"),
        units::count(counts.user, "message"),
        units::count(counts.log_records(), "log record"),
        counts.lifecycle,
    );
    page.line(Line::new().add(PLAIN, &line));
    let lost = overview.manifest.lost_records();
    for (number, what) in [
        (counts.dropped, "dropped and counted by plugins or driver"),
        (overview.evicted, "removed to keep the folder's size"),
        (lost, "lost to this folder"),
        (counts.late, "came after their test had ended"),
        (counts.truncated, "cut to keep limits"),
        (counts.unverified, "from senders that showed no token"),
        (counts.malformed, "could not be read when they came"),
    ] {
        if number > 0 {
            page.line(Line::new().add(WARN, &format!("  {number} {what}")));
        }
    }
}

fn quarantined(page: &mut Page, overview: &Overview) {
    if overview.quarantined == 0 {
        return;
    }
    page.heading(&format!(
        "Not believed: {} with identities that their sender was not given",
        units::count(overview.quarantined, "record")
    ));
    let labels = instance_labels(&overview.manifest);
    for record in &overview.quarantined_examples {
        let text = record_line(record, &labels, &Look::default());
        page.line(Line::new().add(PLAIN, &format!("  {text}")));
    }
    more(
        page,
        overview.quarantined,
        overview.quarantined_examples.len(),
    );
}

fn damaged(page: &mut Page, overview: &Overview) {
    if overview.damaged == 0 {
        return;
    }
    page.heading(&format!(
        "Damaged: {}",
        units::count(overview.damaged, "line")
    ));
    for (at, damage) in &overview.damaged_examples {
        page.line(Line::new().add(WARN, &format!("  {at}  {damage}")));
    }
    more(page, overview.damaged, overview.damaged_examples.len());
}

fn more(page: &mut Page, all: u64, shown: usize) {
    let more = all.saturating_sub(shown as u64);
    if more > 0 {
        page.line(Line::new().add(DIM, &format!("  … and {more} more")));
    }
}
