//! The whole system as its users meet it: the tests are in `tests/`.
