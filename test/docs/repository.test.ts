import { expect } from 'chai';
import { readFileSync } from 'node:fs';

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
    expect(read('.npmrc')).to.match(/^onnxruntime-node-install=skip$/m);
    expect(manifest.allowScripts['onnxruntime-node']).to.equal(false);
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
});
