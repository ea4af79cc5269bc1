// npm run lock:complete: adds to package-lock.json the optional packages for other systems that npm
// left out.
//
// npm drops an optional dependency from the lock file without a word when the registry in use does not
// have it (a mirror may hold the packages of its own system only), and `npm ci` then refuses the lock
// file on every system. What is added has no integrity, because nobody has seen it; a system that does
// not match never fetches it.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const file = fileURLToPath(new URL('../package-lock.json', import.meta.url));
const lock = JSON.parse(readFileSync(file, 'utf8'));

/** Names of systems and processors, as the last parts of a package's name write them. */
const SYSTEMS = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
];
const PROCESSORS = [
  'arm',
  'arm64',
  'ia32',
  'loong64',
  'mips64el',
  'ppc64',
  'riscv64',
  's390x',
  'wasm32',
  'x64',
];

let added = 0;
for (const [path, { optionalDependencies = {}, dev }] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const platform = platformOf(name);
    if (platform && /^\d/.test(version) && !isLocked(path, name)) {
      lock.packages[`${folderFor(path)}node_modules/${name}`] = {
        version,
        ...platform,
        ...(dev && { dev }),
        optional: true,
      };
      added += 1;
    }
  }
}
if (added > 0) {
  const { '': root, ...rest } = lock.packages;
  const sorted = Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1));
  lock.packages = { '': root, ...Object.fromEntries(sorted) };
  writeFileSync(file, `${JSON.stringify(lock, undefined, 2)}\n`);
}
process.stdout.write(`${added} packages added to package-lock.json\n`);

/** Packages for one system lie beside the package that needs them. */
function folderFor(path) {
  return path.slice(0, path.lastIndexOf('node_modules/'));
}

/** npm looks in the folder of the package and in those above it. */
function isLocked(path, name) {
  const parts = path.split('/');
  return (
    parts.some((_, length) => {
      const folder = parts.slice(0, parts.length - length).join('/');
      return Boolean(lock.packages[`${folder}/node_modules/${name}`]);
    }) || Boolean(lock.packages[`node_modules/${name}`])
  );
}

function platformOf(name) {
  const parts = name.split('/').at(-1).split('-');
  const os = parts.filter(part => SYSTEMS.includes(part));
  const cpu = parts.filter(part => PROCESSORS.includes(part));
  return os.length + cpu.length === 0
    ? undefined
    : { ...(cpu.length && { cpu }), ...(os.length && { os }) };
}
