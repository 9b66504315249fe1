//! The one integration binary: everything here runs on loopback, with no network and no account.
