//! A plugin's calls to its host, which become nested calls to another plugin.

use std::sync::{Arc, Weak};

use async_trait::async_trait;
use plugobs_core::{CallIdentity, InstanceId, Text};
use serde_json::{Map, Value as Json};

use super::Inner;
use crate::intake::instance::{InstanceState, lock};
use crate::interface::{Request, Response};
use crate::transport::{CallError, CallbackError, HostCallbacks};

/// A plugin outlives no driver, but its connection may, for a moment.
pub(crate) struct Callbacks {
    pub(crate) driver: Weak<Inner>,
    /// Who calls, from before its start to after its end.
    pub(crate) caller: Arc<InstanceState>,
}

#[async_trait]
impl HostCallbacks for Callbacks {
    async fn call_entry(
        &self,
        caller: &InstanceId,
        identity: CallIdentity,
        test_context: Map<String, Json>,
        entry_key: &str,
        request: Request,
    ) -> Result<Response, CallbackError> {
        let gone = || CallError::Connection("the driver has ended".to_owned());
        let inner = self.driver.upgrade().ok_or_else(gone)?;
        let target =
            inner
                .catalogue
                .find(entry_key, caller)
                .ok_or_else(|| CallbackError::UnknownEntry {
                    entry_key: entry_key.to_owned(),
                    known: inner.catalogue.keys(),
                })?;
        let test = self.test_of_caller(&identity, &test_context)?;
        let nested = CallIdentity {
            test_run_id: test.map(Text::from),
            call_id: None,
            parent_call_id: identity.call_id,
            call_chain_id: identity.call_chain_id,
            trace_context: identity.trace_context,
        };
        target
            .nested_call(nested, test_context, request)
            .await
            .map_err(Into::into)
    }
}

impl Callbacks {
    /// The test of a nested call: that of the call it is nested in, by what was
    /// issued; without a call, the one that it names, if this caller was ever
    /// given it.
    fn test_of_caller(
        &self,
        identity: &CallIdentity,
        test_context: &Map<String, Json>,
    ) -> Result<Option<String>, CallbackError> {
        let issued = lock(&self.caller.issued);
        if let Some(call) = &identity.call_id {
            return issued
                .test_of_call(call)
                .ok_or_else(|| CallbackError::UnknownCall {
                    call_id: call.to_string(),
                });
        }
        let named = test_context
            .get("testRunId")
            .and_then(Json::as_str)
            .map(str::to_owned)
            .or_else(|| identity.test_run_id.clone().map(String::from));
        Ok(named.filter(|test| issued.has_test(test)))
    }
}
