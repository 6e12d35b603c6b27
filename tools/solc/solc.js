// Speaks the part of solc's command line that Python and Rust tools use, and answers from the npm package
// `solc`: the same compiler built as WebAssembly, fixed by hash in package-lock.json, with the same bytecode as
// the native one on every platform. The package's own `solcjs` can't be used: it prints more than JSON.
"use strict";

const fs = require("fs");
const path = require("path");

const compiler = require("../../node_modules/solc");

/** Parse the command line; what needs no action here (--allow-paths) is skipped with its value. */
function parse(argv) {
  const options = { mode: null, input: null, prefixes: [] };
  for (let i = 0; i < argv.length; i++) {
    let [flag, value] = argv[i].split(/=(.*)/s);
    const take = () => (value === undefined ? argv[++i] : value);
    if (flag === "--version" || flag === "--standard-json") options.mode = flag;
    else if (flag === "--base-path") options.prefixes.unshift(take());
    else if (flag === "--include-path") options.prefixes.push(take());
    else if (flag === "--allow-paths") take();
    else if (flag === "-" || !flag.startsWith("-")) options.input = argv[i];
    else return fail(`unknown option ${flag}`);
  }
  if (options.prefixes.length === 0) options.prefixes.push("");
  return options;
}

function fail(message) {
  process.stderr.write(`solc: ${message}; this stand-in knows --version and --standard-json\n`);
  process.exit(1);
}

/** Answer an import that the input doesn't hold, from under the base path or an include path. */
function read(prefixes, name) {
  for (const prefix of prefixes) {
    const file = path.join(prefix, name.replace(/^file:\/\//, ""));
    if (fs.existsSync(file)) return { contents: fs.readFileSync(file, "utf8") };
  }
  return { error: `${name} not found under ${prefixes.join(", ") || "the working directory"}` };
}

/**
 * Leave the hash of the metadata out of the code: it covers paths and remappings that differ between installs, and
 * the code decides the CREATE2 address. Ape's Solidity plugin has no setting for it.
 */
function withoutMetadataHash(source) {
  const request = JSON.parse(source);
  request.settings = { ...request.settings, metadata: { bytecodeHash: "none" } };
  return JSON.stringify(request);
}

const { mode, input, prefixes } = parse(process.argv.slice(2));
if (mode === "--version") {
  process.stdout.write("solc, the solidity compiler commandline interface\n");
  process.stdout.write(`Version: ${compiler.version()}\n`);
} else if (mode === "--standard-json") {
  const source = fs.readFileSync(input && input !== "-" ? input : 0, "utf8");
  process.stdout.write(compiler.compile(withoutMetadataHash(source), { import: (name) => read(prefixes, name) }) + "\n");
} else {
  fail("nothing to do");
}
