//! The reference plugin as a component: its exports, and nothing else.

plugobs_guest::export_plugin!(plugobs_csv::component::CsvPlugin);
