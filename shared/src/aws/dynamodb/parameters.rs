//! The table `parameters`.

use std::collections::BTreeSet;

use super::{from_items, key_of};
use crate::aws::AwsPorts;
use crate::domain::identifiers::Symbol;
use crate::domain::parameters::MatchParameters;
use crate::ports::{ParameterStore, PortError};

impl ParameterStore for AwsPorts {
    async fn read_parameters(&self, symbols: &[Symbol]) -> Result<Vec<MatchParameters>, PortError> {
        let distinct: BTreeSet<&Symbol> = symbols.iter().collect();
        let keys = distinct
            .into_iter()
            .map(|symbol| key_of("symbol", symbol.as_str()))
            .collect();
        let items = self.batch_get(&self.settings.tables.parameters, keys).await?;
        from_items("dynamodb:BatchGetItem", items)
    }
}
