//! Identifiers: `u32` newtypes handed out by the owner of a collection; each one indexes that owner's arrays.

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u32);

        impl $name {
            /// The position in the owner's arrays.
            #[inline]
            pub fn index(self) -> usize {
                self.0 as usize
            }

            /// The identifier of position `index`. Panics past `u32::MAX`, which no collection here reaches.
            #[inline]
            pub fn from_index(index: usize) -> Self {
                Self(u32::try_from(index).expect("collections hold fewer than 2^32 members"))
            }
        }
    };
}

id!(
    /// A tenant: the customer, team or application owner that is billed and scored.
    TenantId
);
id!(
    /// A function: the code that a call runs, with its memory and CPU demand.
    FunctionId
);
id!(
    /// A pool: the functions that share sandboxes, by the scope of isolation: one function, a tenant, or a trust domain.
    PoolId
);
id!(
    /// A region: a place with hosts, one grid zone and one ledger site.
    RegionId
);
id!(
    /// A host group: hosts of one server type inside one region.
    GroupId
);
id!(
    /// A host: one physical server.
    HostId
);
id!(
    /// A sandbox: one VM, container, microVM, Wasm instance or process that holds a function.
    SandboxId
);
