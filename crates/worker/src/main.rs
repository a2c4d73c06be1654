//! The program `rummage-worker`; all of it is in the library, so that an
//! installer's package can ship it too.

fn main() {
    rummage_worker::program()
}
