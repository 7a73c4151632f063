import { expect } from 'chai';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const json = (path: string) => JSON.parse(read(path));

describe('the package', () => {
  const manifest = json('package.json');

  it('pins every dependency to one version', () => {
    for (const group of ['dependencies', 'devDependencies', 'peerDependencies'] as const) {
      for (const [name, version] of Object.entries(manifest[group])) {
        expect(version, name).to.match(/^\d+\.\d+\.\d+(-[\w.]+)?$/);
      }
    }
  });

  it('has a lockfile that names no registry and every package’s version', () => {
    const lock = json('package-lock.json');
    for (const [path, entry] of Object.entries<Record<string, unknown>>(lock.packages)) {
      expect(entry, path).to.have.property('version');
      expect(entry, path).not.to.have.property('resolved');
    }
  });

  it('keeps onnxruntime-node from downloading GPU libraries, on npm 10 and on npm 11', () => {
    // npm ci runs the install scripts of the packages that the lockfile says have one; later npm 11 asks allowScripts, too
    const entry = json('package-lock.json').packages['node_modules/onnxruntime-node'];
    expect(entry).to.have.property('version', manifest.dependencies['onnxruntime-node']);
    expect(entry, 'npm install put it back: take it out again').not.to.have.property('hasInstallScript');
    expect(manifest.allowScripts['onnxruntime-node']).to.equal(false);
  });

  it('has an .npmrc of settings that npm knows: it warns of others at every call', () => {
    const settings = read('.npmrc').trim().split('\n').map((line) => line.split('=')[0]); // prettier-ignore
    expect(settings).to.deep.equal(['omit-lockfile-registry-resolved']);
  });

  it('has tfjs-node-gpu as an optional peer only', () => {
    expect(manifest.peerDependenciesMeta['@tensorflow/tfjs-node-gpu']).to.deep.equal({ optional: true });
    expect(manifest.dependencies).not.to.have.property('@tensorflow/tfjs-node-gpu');
    expect(manifest).not.to.have.property('optionalDependencies');
  });
});

describe('CONTRIBUTING.md', () => {
  const page = read('CONTRIBUTING.md');

  it('names the local command of each CI job', () => {
    const jobs = [...read('.ci/run').matchAll(/^\s*(?:if )?step '([^']+)'/gm)].map(([, title]) => title!);
    expect(jobs).to.include.members(['npm ci', 'lint', 'type check', 'architecture', 'npm test']);
    for (const job of jobs) expect(page).to.match(new RegExp(`^\\| ${job} +\\| .*\`.+\``, 'm'));
  });

  it('names only npm scripts that exist', () => {
    const scripts = [...page.matchAll(/npm run ([\w:-]+)/g)].map(([, name]) => name);
    expect(Object.keys(json('package.json').scripts)).to.include.members(scripts);
  });

  it('has a row for each room of src, and names only folders that exist', () => {
    const rooms = readdirSync(new URL('../../src/', import.meta.url), { withFileTypes: true });
    const table = page.slice(page.indexOf('| room'), page.indexOf('`test/` mirrors'));
    const rows = [...table.matchAll(/^\| `([\w-]+)` +\|(.*)$/gm)].map(([, name, rest]) => ({
      name: name!,
      rest: rest!,
    }));
    const folders = rooms.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    expect(rows.map(({ name }) => name)).to.have.members(folders);
    for (const { name, rest } of rows)
      for (const [, inner] of rest.matchAll(/`([\w-]+)`/g))
        expect(existsSync(new URL(`../../src/${name}/${inner}`, import.meta.url)), `src/${name}/${inner}`).to.equal(
          true,
        );
  });

  it('names only files and folders that exist', () => {
    for (const [, path] of page.matchAll(/`((?:src|test|docs|bench|tools)\/[\w./-]+)`/g))
      expect(existsSync(new URL(`../../${path}`, import.meta.url)), path).to.equal(true);
  });
});

describe('the rooms of src', () => {
  const root = fileURLToPath(new URL('../../src/', import.meta.url));
  const entries = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());

  it('have at most 15 files beside each other', () => {
    const counts = new Map<string, number>();
    for (const { parentPath } of entries) counts.set(parentPath, (counts.get(parentPath) ?? 0) + 1);
    const crowded = [...counts]
      .filter(([, count]) => count > 15)
      .map(([folder, n]) => `${relative(root, folder)}: ${n}`);
    expect(crowded).to.deep.equal([]);
  });

  it('cast nothing through unknown', () => {
    const files = entries.map(({ parentPath, name }) => join(parentPath, name));
    const casting = files.filter((file) => readFileSync(file, 'utf8').includes('as unknown as'));
    expect(casting.map((file) => relative(root, file))).to.deep.equal([]);
  });

  it('hold no file of more than 300 lines', () => {
    const long = entries
      .map(({ parentPath, name }) => join(parentPath, name))
      .filter((file) => readFileSync(file, 'utf8').split('\n').length > 301)
      .map((file) => relative(root, file));
    expect(long).to.deep.equal([]);
  });
});
