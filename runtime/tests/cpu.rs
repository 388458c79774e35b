//! Compiled circuits and the log-space executor against the float64 interpreter.

mod cpu {
    mod agree;
    mod bundles;
    mod contract;
    mod deep;
    mod guards;
    mod learn;
    mod normals;
    mod soft;
}
