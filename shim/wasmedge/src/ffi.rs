//! The C side: the functions of WasmEdge that the shim calls, found in the library when it is opened.
//!
//! The declarations follow `wasmedge/wasmedge.h` of WasmEdge 0.14 (Debian: `libwasmedge-dev`), by hand:
//! seventeen functions do not need a generator. When and where the library is opened is decided in `engine`;
//! what a result means for the container, in `run`.
//!
//! The only module of this crate that is allowed `unsafe`.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char, c_void};
use std::io::{Read as _, Seek as _};
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::path::Path;
use std::ptr;

use anyhow::{Context as _, Result, ensure};
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use shim::kernel::{Stream, duplicate, memory_file, replace};

/// `WasmEdge_HostRegistration_Wasi` of `enum_configure.h`.
const HOST_REGISTRATION_WASI: u32 = 0;

/// `Terminated` of `enum.inc`: the module called `proc_exit`. Not a failure.
const CODE_TERMINATED: u32 = 0x0001;

/// `FuncNotFound` and `FuncSigMismatch` of `enum.inc`.
const CODES_NOT_CALLABLE: [u32; 2] = [0x0005, 0x0403];

/// `IncompatibleImportType` and `UnknownImport` of `enum.inc`.
const CODES_IMPORT: [u32; 2] = [0x0301, 0x0302];

/// The codes of `enum.inc` for failures while instructions are executed.
const CODES_EXECUTION: std::ops::RangeInclusive<u32> = 0x0400..=0x04ff;

/// `WasmEdge_String`: bytes that need not end with a zero.
#[repr(C)]
#[derive(Clone, Copy)]
struct RawString {
    length: u32,
    bytes: *const c_char,
}

/// `WasmEdge_Result`: the error category in the upper 8 bits, the code in the lower 24.
#[repr(C)]
#[derive(Clone, Copy)]
struct RawResult {
    code: u32,
}

/// Declares the table of functions, and the look-up of each by its name in the library.
macro_rules! functions {
    ($($field:ident = $symbol:literal: fn($($argument:ty),*) $(-> $output:ty)?;)*) => {
        /// The functions of an open library. Each stays callable as long as the process lives, because the
        /// library is never closed.
        struct Functions {
            $($field: unsafe extern "C" fn($($argument),*) $(-> $output)?,)*
        }

        impl Functions {
            fn find(library: &Library) -> Result<Self, libloading::Error> {
                Ok(Self {
                    // SAFETY: the signature is the one of `wasmedge.h`; `Engine::open` refuses a library
                    // whose version is not the one that this header belongs to.
                    $($field: unsafe { *library.get($symbol)? },)*
                })
            }
        }
    };
}

functions! {
    version_major = b"WasmEdge_VersionGetMajor\0": fn() -> u32;
    version_minor = b"WasmEdge_VersionGetMinor\0": fn() -> u32;
    log_off = b"WasmEdge_LogOff\0": fn();
    log_everything = b"WasmEdge_LogSetDebugLevel\0": fn();
    configure_create = b"WasmEdge_ConfigureCreate\0": fn() -> *mut c_void;
    configure_add_host = b"WasmEdge_ConfigureAddHostRegistration\0": fn(*mut c_void, u32);
    vm_create = b"WasmEdge_VMCreate\0": fn(*const c_void, *mut c_void) -> *mut c_void;
    vm_host_module = b"WasmEdge_VMGetImportModuleContext\0": fn(*const c_void, u32) -> *mut c_void;
    vm_load = b"WasmEdge_VMLoadWasmFromBuffer\0": fn(*mut c_void, *const u8, u32) -> RawResult;
    vm_validate = b"WasmEdge_VMValidate\0": fn(*mut c_void) -> RawResult;
    vm_instantiate = b"WasmEdge_VMInstantiate\0": fn(*mut c_void) -> RawResult;
    vm_execute = b"WasmEdge_VMExecute\0":
        fn(*mut c_void, RawString, *const c_void, u32, *mut c_void, u32) -> RawResult;
    wasi_init = b"WasmEdge_ModuleInstanceInitWASI\0":
        fn(*mut c_void, *const *const c_char, u32, *const *const c_char, u32, *const *const c_char, u32);
    wasi_exit_code = b"WasmEdge_ModuleInstanceWASIGetExitCode\0": fn(*const c_void) -> u32;
    result_ok = b"WasmEdge_ResultOK\0": fn(RawResult) -> bool;
    result_code = b"WasmEdge_ResultGetCode\0": fn(RawResult) -> u32;
    result_message = b"WasmEdge_ResultGetMessage\0": fn(RawResult) -> *const c_char;
}

/// An open WasmEdge library.
pub struct Engine {
    functions: Functions,
}

/// What the engine said when it refused or gave up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The code of WasmEdge's `enum.inc`, for example `0x40a` for `unreachable`.
    pub code: u32,
    /// The engine's own words for that code.
    pub message: String,
}

impl Refusal {
    /// Whether the module has no function of the name that was called, or one with parameters.
    pub fn is_not_callable(&self) -> bool {
        CODES_NOT_CALLABLE.contains(&self.code)
    }

    /// Whether the module asked for something that the engine does not provide.
    pub fn is_import(&self) -> bool {
        CODES_IMPORT.contains(&self.code)
    }

    /// Whether instructions of the module were executed and failed.
    pub fn is_trap(&self) -> bool {
        CODES_EXECUTION.contains(&self.code)
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} (WasmEdge code {:#x})", self.message, self.code)
    }
}

impl Engine {
    /// Opens the library at `path`, and checks that it is of version 0.`minor`.
    ///
    /// `substitute` is a shared object that takes the place of one which the library would otherwise pull
    /// in (see `engine`); empty for none. Neither is ever closed.
    ///
    /// # Errors
    /// The file is missing or no WasmEdge library, something that it needs is missing, or its version is
    /// another one.
    pub fn open(path: &Path, substitute: &[u8], minor: u32) -> Result<Self> {
        let library = if substitute.is_empty() { open_library(path)? } else { open_beside(path, substitute)? };
        let functions =
            Functions::find(&library).with_context(|| format!("`{}` is not a WasmEdge library", path.display()))?;
        // The functions must outlive every value that holds them: the library stays open for good.
        std::mem::forget(library);
        // SAFETY: two functions without arguments that return a constant.
        let found = unsafe { ((functions.version_major)(), (functions.version_minor)()) };
        ensure!(
            found == (0, minor),
            "`{}` is WasmEdge {}.{}, this shim is made for 0.{minor}",
            path.display(),
            found.0,
            found.1
        );
        // SAFETY: no arguments. The engine logs to stdout, which is the container's.
        unsafe { (functions.log_off)() };
        Ok(Self { functions })
    }

    /// Makes a virtual machine with WASI and nothing else.
    ///
    /// # Errors
    /// The engine could not allocate it.
    pub fn machine(&self) -> Result<Machine<'_>> {
        let functions = &self.functions;
        // SAFETY: the configuration is not null when it is used, and is only read by `vm_create`. Machine
        // and configuration are never freed: the process runs one module and ends with it.
        let (vm, wasi) = unsafe {
            let configuration = (functions.configure_create)();
            ensure!(!configuration.is_null(), "WasmEdge could not allocate a configuration");
            (functions.configure_add_host)(configuration, HOST_REGISTRATION_WASI);
            let vm = (functions.vm_create)(configuration, ptr::null_mut());
            ensure!(!vm.is_null(), "WasmEdge could not allocate a virtual machine");
            (vm, (functions.vm_host_module)(vm, HOST_REGISTRATION_WASI))
        };
        ensure!(!wasi.is_null(), "WasmEdge has no WASI host module");
        Ok(Machine { functions, vm, wasi })
    }
}

/// One virtual machine: configured, loaded, validated, instantiated, called, in that order.
pub struct Machine<'engine> {
    functions: &'engine Functions,
    vm: *mut c_void,
    wasi: *mut c_void,
}

impl Machine<'_> {
    /// Gives the module its arguments, its environment (`NAME=value`), and its directories
    /// (`guest:host`, opened now).
    ///
    /// # Errors
    /// One of the strings holds a zero byte.
    pub fn init_wasi(&self, arguments: &[String], environment: &[String], preopens: &[String]) -> Result<()> {
        let lists = [
            Strings::new(arguments).context("in an argument")?,
            Strings::new(environment).context("in the environment")?,
            Strings::new(preopens).context("in a directory")?,
        ];
        let [arguments, environment, preopens] = &lists;
        // SAFETY: each pointer is to as many C strings as the count beside it says; the engine copies
        // them before it returns, and `lists` lives until then.
        unsafe {
            (self.functions.wasi_init)(
                self.wasi,
                arguments.pointers.as_ptr(),
                arguments.count(),
                environment.pointers.as_ptr(),
                environment.count(),
                preopens.pointers.as_ptr(),
                preopens.count(),
            );
        }
        Ok(())
    }

    /// Parses the module. The engine copies what it keeps.
    pub fn load(&self, bytes: &[u8]) -> Result<(), Refusal> {
        // The engine's interface counts in 32 bits; a longer module is refused as cut off.
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        // SAFETY: the pointer is to at least `length` bytes.
        let result = unsafe { (self.functions.vm_load)(self.vm, bytes.as_ptr(), length) };
        self.check(result)
    }

    /// Parses the module, and returns besides the result what the engine logged meanwhile. It has no other
    /// way of saying that it does not accept compiled code, and says it at its level `info`.
    ///
    /// # Errors
    /// The engine's log, which goes to stdout, could not be caught.
    pub fn load_logged(&self, bytes: &[u8]) -> Result<(Result<(), Refusal>, String)> {
        catch_stdout(|| {
            // SAFETY: both take no arguments and only set the level of the log.
            unsafe { (self.functions.log_everything)() };
            let result = self.load(bytes);
            // SAFETY: as above.
            unsafe { (self.functions.log_off)() };
            result
        })
    }

    /// Checks the module's types.
    pub fn validate(&self) -> Result<(), Refusal> {
        // SAFETY: the machine is valid; the engine itself refuses a wrong order of calls.
        let result = unsafe { (self.functions.vm_validate)(self.vm) };
        self.check(result)
    }

    /// Resolves the imports, and runs the module's start section if it has one. Returns the exit code if that
    /// called `proc_exit`.
    pub fn instantiate(&self) -> Result<Option<u32>, Refusal> {
        // SAFETY: as in `validate`.
        let result = unsafe { (self.functions.vm_instantiate)(self.vm) };
        self.check(result)?;
        // SAFETY: a plain value.
        let code = unsafe { (self.functions.result_code)(result) };
        Ok((code == CODE_TERMINATED).then(|| self.exit_code()))
    }

    /// Calls an exported function without arguments, drops what it returns, and returns the exit code: the
    /// one given to `proc_exit`, or 0.
    pub fn call(&self, function: &str) -> Result<u32, Refusal> {
        let name =
            RawString { length: u32::try_from(function.len()).unwrap_or(u32::MAX), bytes: function.as_ptr().cast() };
        // SAFETY: `name` is only read during the call; null pointers go with a count of 0.
        let result = unsafe { (self.functions.vm_execute)(self.vm, name, ptr::null(), 0, ptr::null_mut(), 0) };
        self.check(result).map(|()| self.exit_code())
    }

    fn exit_code(&self) -> u32 {
        // SAFETY: the module is the machine's own.
        unsafe { (self.functions.wasi_exit_code)(self.wasi) }
    }

    fn check(&self, result: RawResult) -> Result<(), Refusal> {
        // SAFETY: plain values; the message is a constant of the library.
        unsafe {
            // Success, or an end by `proc_exit`: WasmEdge counts both as fine.
            if (self.functions.result_ok)(result) {
                return Ok(());
            }
            let message = CStr::from_ptr((self.functions.result_message)(result));
            Err(Refusal { code: (self.functions.result_code)(result), message: message.to_string_lossy().into_owned() })
        }
    }
}

/// C strings and the array of pointers to them.
struct Strings {
    pointers: Vec<*const c_char>,
    // Owns what `pointers` points to.
    _owned: Vec<CString>,
}

impl Strings {
    fn new(strings: &[String]) -> Result<Self> {
        let owned = strings
            .iter()
            .map(|string| {
                CString::new(string.as_str()).with_context(|| format!("`{}` holds a zero byte", string.escape_debug()))
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(Self { pointers: owned.iter().map(|string| string.as_ptr()).collect(), _owned: owned })
    }

    fn count(&self) -> u32 {
        // The kernel's limit on arguments and environment is far below 2^32.
        u32::try_from(self.pointers.len()).unwrap_or(u32::MAX)
    }
}

fn open_library(path: &Path) -> Result<Library> {
    // SAFETY: initialisers of the library run. It is the engine that this shim exists for.
    unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) }
        .with_context(|| format!("cannot open `{}`", path.display()))
}

/// Opens the library with `substitute` already there. Where that fails, for instance because the library
/// was replaced by one that needs more symbols, opens it alone.
fn open_beside(path: &Path, substitute: &[u8]) -> Result<Library> {
    let file = memory_file(c"substitute", substitute).context("cannot make a file in memory")?;
    let in_memory = format!("/proc/self/fd/{}", file.as_raw_fd());
    let substitute = open_library(Path::new(&in_memory))?;
    match open_library(path) {
        Ok(library) => {
            std::mem::forget(substitute);
            Ok(library)
        }
        Err(error) => {
            log::warn!("{error:#}: opened again without the substitute for its compiler");
            substitute.close().context("cannot close the substitute")?;
            open_library(path)
        }
    }
}

/// Runs `action` with stdout in a file, and returns besides its value what was written there.
fn catch_stdout<T>(action: impl FnOnce() -> T) -> Result<(T, String)> {
    let mut caught = memory_file(c"log", &[]).context("cannot make a file in memory")?;
    let stdout = duplicate(libc::STDOUT_FILENO).context("cannot duplicate stdout")?;
    replace(Stream::Stdout, caught.as_fd()).context("cannot redirect stdout")?;
    let value = action();
    replace(Stream::Stdout, stdout.as_fd()).context("cannot restore stdout")?;
    let mut text = Vec::new();
    caught.rewind().context("cannot read the engine's log")?;
    caught.read_to_end(&mut text).context("cannot read the engine's log")?;
    Ok((value, String::from_utf8_lossy(&text).into_owned()))
}
