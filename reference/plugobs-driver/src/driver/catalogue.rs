//! What the loaded plugins can do, for `UpdateCatalogue` and nested calls.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use plugobs_core::InstanceId;

use crate::driver::plugin::PluginInner;
use crate::interface::CatalogueEntry;

#[derive(Default)]
pub(crate) struct Catalogue(Mutex<Vec<(Arc<PluginInner>, CatalogueEntry)>>);

impl Catalogue {
    fn lock(&self) -> MutexGuard<'_, Vec<(Arc<PluginInner>, CatalogueEntry)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, plugin: &Arc<PluginInner>, entries: Vec<CatalogueEntry>) {
        self.lock()
            .extend(entries.into_iter().map(|entry| (plugin.clone(), entry)));
    }

    pub(crate) fn remove(&self, instance: &InstanceId) {
        self.lock()
            .retain(|(plugin, _)| plugin.state.id != *instance);
    }

    /// All entries, each once however many instances have it.
    pub(crate) fn entries(&self) -> Vec<CatalogueEntry> {
        let mut entries: Vec<CatalogueEntry> = Vec::new();
        for (_, entry) in self.lock().iter() {
            if !entries.contains(entry) {
                entries.push(entry.clone());
            }
        }
        entries
    }

    /// The plugin that has the entry: by its key alone (`csv`), or with its
    /// kind before it (`content-matcher/csv`), or the deployed long form
    /// (`plugin/csv/content-matcher/csv`). Another instance than the caller is
    /// preferred: a plugin that asks its host seldom means itself.
    pub(crate) fn find(&self, entry_key: &str, caller: &InstanceId) -> Option<Arc<PluginInner>> {
        let mut parts = entry_key.rsplit('/');
        let key = parts.next().unwrap_or_default();
        let kind = parts.next().map(spell_kind);
        let plugin_name = parts.next();
        let entries = self.lock();
        let matching = || {
            entries.iter().filter(|(plugin, entry)| {
                entry.key == key
                    && kind
                        .as_ref()
                        .is_none_or(|kind| *kind == spell_kind(&entry.kind))
                    && plugin_name.is_none_or(|name| name == plugin.manifest.name)
            })
        };
        matching()
            .find(|(plugin, _)| plugin.state.id != *caller)
            .or_else(|| matching().next())
            .map(|(plugin, _)| plugin.clone())
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        self.entries()
            .iter()
            .map(|e| format!("{}/{}", spell_kind(&e.kind), e.key))
            .collect()
    }
}

/// `CONTENT_MATCHER` and `content-matcher` are one kind.
fn spell_kind(kind: &str) -> String {
    kind.to_ascii_lowercase().replace('_', "-")
}
