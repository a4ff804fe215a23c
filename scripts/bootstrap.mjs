// node scripts/bootstrap.mjs [--quiet] SCRIPT.ts ARGS...
//
// Runs a TypeScript file of this checkout on the Node that the checkout brings along (24, an npm package), whatever Node the
// machine has: this file itself is plain JavaScript for Node 20 and newer. Installs first when packages are missing or differ from
// package-lock.json. The script gets arguments, terminal and signals as if it had been started directly, its exit code is
// ours, and it does not outlive us. `--quiet` keeps this file silent unless it has to install.

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const NODE_MIN = 20;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const isWindows = process.platform === 'win32';
const parent = process.ppid;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const node24 = join(modules, 'node', 'bin', isWindows ? 'node.exe' : 'node');
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
async function whileAlone(work) {
  const lock = join(root, '.cache', 'install.lock');
  mkdirSync(dirname(lock), { recursive: true });
  const stopWatching = whenNpmIsGone(() => process.exit(1));
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      const owner = existsSync(lock) ? Number(readFileSync(lock, 'utf8')) : 0;
      if (owner > 0 && !isAlive(owner)) rmSync(lock, { force: true });
      else await delay(200);
    }
  }
  stopWatching();
  try {
    await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

/** Ends a process and everything that it has started, if it leads its own process group. */
function endGroup(child, signal) {
  try {
    process.kill(isWindows ? child.pid : -child.pid, signal);
  } catch {
    // It has ended by itself.
  }
}

/** When this process ends, even by kill -9, the kernel closes the pipe that this shell reads. The shell then ends the group. */
function endWithUs(child) {
  if (isWindows) return () => {};
  const script = 'while read -r line; do :; done; kill -s TERM -- "-$1"; sleep 5; kill -s KILL -- "-$1"';
  const stdio = ['pipe', 'ignore', 'ignore'];
  const shell = spawn('/bin/sh', ['-c', script, 'watchdog', String(child.pid)], { detached: true, stdio });
  shell.on('error', () => {});
  shell.stdin.on('error', () => {});
  return () => shell.kill('SIGKILL');
}

/** Runs npm in a group of its own, for it does not end its own children. Its output goes to standard error: standard output belongs
 *  to the script. Returns its exit code. A signal ends npm first, and then this process. */
async function npm(...args) {
  const path = process.env.npm_execpath;
  const [command, first] = path?.endsWith('.js') ? [process.execPath, [path]] : ['npm', []];
  const options = { cwd: root, stdio: ['ignore', 2, 2], shell: isWindows, detached: !isWindows };
  const child = spawn(command, [...first, ...args, '--no-audit', '--no-fund', '--loglevel=error'], options);
  const ended = new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new Error(`npm cannot run (${error.message}): install Node.js with npm.`)));
    child.once('exit', (code) => resolve(code));
  });
  const release = child.pid === undefined ? () => {} : endWithUs(child);
  let stoppedBy;
  const stop = (signal) => {
    stoppedBy ??= signal;
    endGroup(child, 'SIGTERM');
    setTimeout(() => endGroup(child, 'SIGKILL'), 5_000).unref();
  };
  const stopForwarding = forwardSignals(stop);
  const stopWatching = whenNpmIsGone(() => stop('SIGTERM'));
  try {
    const code = await ended;
    if (stoppedBy === undefined) return code;
    endGroup(child, 'SIGKILL');
    stopForwarding();
    process.kill(process.pid, stoppedBy);
    return await new Promise(() => {}); // the signal takes a moment
  } finally {
    stopForwarding();
    stopWatching();
    release();
  }
}

async function install() {
  if (isInstalled()) return; // another one did it while we waited
  process.stderr.write('Installing packages (npm ci) ...\n');
  if ((await npm('ci')) !== 0) {
    throw new Error(
      'npm ci failed; the lines above say why. Check the network and the registry (npm config get registry), then run the command again.',
    );
  }
  if (!isInstalled()) {
    throw new Error(
      'npm ci did not install all packages. Allow install scripts and development packages (see npm config ls), then run the command again.',
    );
  }
}

/** True when we are in the foreground group of a terminal: a Ctrl-C there reaches a script without our help, and a second
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

/** Gives each signal to `send`; what is repeated within half a second is the same one: npm repeats what the whole group has got. */
function forwardSignals(send) {
  const lastSentMs = {};
  const forward = (signal) => {
    const now = Date.now();
    if (now - (lastSentMs[signal] ?? 0) < 500) return;
    lastSentMs[signal] = now;
    send(signal);
  };
  for (const signal of SIGNALS) process.on(signal, forward);
  return () => {
    for (const signal of SIGNALS) process.off(signal, forward);
  };
}

/** npm passes a signal on to the shell between it and us, which dies of it and tells nobody; kill -9 tells nobody either. So below
 *  npm we look whether our parent is still there. (Elsewhere a parent that leaves may mean `nohup ... &`, and no end.) */
function whenNpmIsGone(stop) {
  if (!process.env.npm_lifecycle_script?.includes('bootstrap.mjs')) return () => {};
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    stop();
  }, 500).unref();
  return () => clearInterval(timer);
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
  const stopForwarding = forwardSignals((signal) => {
    if (signal === 'SIGTERM' || !terminalSignalsUs()) child.kill(signal);
  });
  whenNpmIsGone(() => child.kill('SIGTERM'));
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
  if (Number.parseInt(process.versions.node, 10) < NODE_MIN) {
    throw new Error(
      `This checkout needs Node ${NODE_MIN} or newer; this is Node ${process.versions.node}. Install it from nodejs.org, then run the command again.`,
    );
  }
  if (!script) throw new Error('usage: node scripts/bootstrap.mjs [--quiet] SCRIPT.ts ARGS...');
  if (!isInstalled()) await whileAlone(install);
  run(join(root, script), rest);
} catch (error) {
  fail(error);
}
