// node scripts/bootstrap.mjs [--quiet] SCRIPT.ts ARGS...
//
// Runs a TypeScript file of this checkout on the Node that the checkout brings along (24, an npm package), whatever Node the
// machine has: this file itself is plain JavaScript for Node 20 and newer. Installs first when packages are missing or differ from
// package-lock.json. The script gets arguments, terminal and signals as if it had been started directly, its exit code is
// ours, and it does not outlive us. `--quiet` keeps this file silent unless it has to install.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const node24 = join(modules, 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
const lockFile = join(root, 'package-lock.json');
const installedFile = join(modules, '.package-lock.json');

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** True when node_modules holds what the lock file asks for. Times alone would be wrong both ways: npm writes the lock file after
 *  the packages, and git gives a checked-out file the time of the checkout. So an older folder is compared by its content. */
function isInstalled() {
  if (!existsSync(node24) || !existsSync(installedFile)) return false;
  if (statSync(installedFile).mtimeMs >= statSync(lockFile).mtimeMs) return true;
  const installed = readJson(installedFile).packages;
  return Object.entries(readJson(lockFile).packages).every(
    ([path, wanted]) => path === '' || wanted.optional || installed[path]?.version === wanted.version,
  );
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Runs `work` while no other bootstrap of this checkout installs. A lock whose owner is dead is taken over. */
function whileAlone(work) {
  const lock = join(root, '.cache', 'install.lock');
  mkdirSync(dirname(lock), { recursive: true });
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      const owner = existsSync(lock) ? Number(readFileSync(lock, 'utf8')) : 0;
      if (owner > 0 && !isAlive(owner)) rmSync(lock, { force: true });
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    }
  }
  try {
    work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function npm(args, stdio) {
  const script = process.env.npm_execpath;
  const [command, first] = script?.endsWith('.js') ? [process.execPath, [script]] : ['npm', []];
  const options = { cwd: root, stdio, encoding: 'utf8', shell: process.platform === 'win32' };
  const done = spawnSync(command, [...first, ...args, '--no-audit', '--no-fund', '--loglevel=error'], options);
  if (done.error) throw new Error(`npm can't be run (${done.error.message}): install Node.js with npm.`);
  return done;
}

function install() {
  if (isInstalled()) return; // another one did it while we waited
  process.stderr.write('Installing packages (npm ci) ...\n');
  const exact = npm(['ci'], ['ignore', 'pipe', 'pipe']);
  if (exact.status !== 0) {
    // A registry that lacks builds for other systems leaves them out of the lock file, and `npm ci` refuses such a file, though
    // nothing is missing that this machine needs. This follows the lock file too, and writes none.
    const reason = exact.stderr.split('\n').find((line) => /^npm error (?!code)\S/.test(line)) ?? 'npm ci failed';
    process.stderr.write(`${reason}\nTrying npm install with the same lock file ...\n`);
    // Its output goes to standard error: standard output belongs to the script.
    if (npm(['install', '--no-save'], ['ignore', 2, 2]).status !== 0) throw new Error('npm install failed, see above.');
  }
  if (!isInstalled()) {
    throw new Error('npm left packages out: are install scripts or development packages switched off (npm config ls)?');
  }
}

/** True when we are in the foreground group of a terminal: a Ctrl-C there reaches the script without our help, and a second
 *  copy from us would look like an impatient second Ctrl-C. */
function terminalSignalsUs() {
  try {
    const stat = readFileSync('/proc/self/stat', 'utf8');
    const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return group === foreground;
  } catch {
    return process.stdin.isTTY === true || process.stdout.isTTY === true; // no /proc: macOS
  }
}

function forwardSignals(child) {
  const lastSentMs = {};
  const forward = (signal) => {
    if (signal !== 'SIGTERM' && terminalSignalsUs()) return;
    // npm repeats a signal that the whole group has already got: within half a second it is the same one.
    const now = Date.now();
    if (now - (lastSentMs[signal] ?? 0) < 500) return;
    lastSentMs[signal] = now;
    child.kill(signal);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, forward);
  return () => process.removeAllListeners('SIGINT').removeAllListeners('SIGTERM').removeAllListeners('SIGHUP');
}

/** npm passes a signal on to the shell between it and us, which dies of it and tells nobody; kill -9 tells nobody either. So below
 *  npm we look whether our parent is still there. (Elsewhere a parent that leaves may mean `nohup ... &`, and no end.) */
function stopWhenNpmIsGone(child) {
  if (!process.env.npm_lifecycle_script?.includes('bootstrap.mjs')) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    child.kill('SIGTERM');
  }, 500).unref();
}

// Loaded before the script. File descriptor 3 ends when we do, even by kill -9; the script is then asked to stop.
const stopWithParent = `data:text/javascript,${encodeURIComponent(
  "import { Socket } from 'node:net'; const parent = new Socket({ fd: 3 });" +
    "parent.on('error', () => {}).once('close', () => process.kill(process.pid, 'SIGTERM')).resume().unref();",
)}`;

function run(script, args) {
  const env = { ...process.env, PATH: `${join(modules, '.bin')}${delimiter}${process.env.PATH ?? ''}` };
  // kafkajs sets timers that are already due; Node's warning about them says nothing to the person at the terminal.
  const flags = ['--disable-warning=TimeoutNegativeWarning', '--import', stopWithParent];
  const stdio = ['inherit', 'inherit', 'inherit', 'pipe'];
  const child = spawn(node24, [...flags, script, ...args], { stdio, env });
  child.stdio[3].on('error', () => {});
  const stopForwarding = forwardSignals(child);
  stopWhenNpmIsGone(child);
  child.once('error', (error) => fail(error));
  child.once('exit', (code, signal) => {
    stopForwarding();
    if (signal) process.kill(process.pid, signal);
    else process.exit(code);
  });
}

function fail(error) {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}

const [script, ...rest] = process.argv.slice(process.argv[2] === '--quiet' ? 3 : 2);
try {
  if (!script) throw new Error('usage: node scripts/bootstrap.mjs [--quiet] SCRIPT.ts ARGS...');
  if (!isInstalled()) whileAlone(install);
  run(join(root, script), rest);
} catch (error) {
  fail(error);
}
