/**
 * The package as it reaches somebody else: built, packed by npm, and unpacked into another project, beside its declared dependencies
 * and nothing else. Those are linked from here instead of installed, as no test asks a registry.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const NPM = 'npm';
const TAR = 'tar';
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc');

interface Manifest {
  readonly version: string;
  readonly files: readonly string[];
  readonly dependencies: Readonly<Record<string, string>>;
}
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest;

describe('the package, packed and unpacked elsewhere', function () {
  this.timeout(400_000);
  let folder: string;
  let installed: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'thevenin-package-'));
    const [clone, project] = [join(folder, 'clone'), join(folder, 'project')];
    installed = join(project, 'node_modules/thevenin');
    mkdirSync(installed, { recursive: true });
    for (const top of ['package.json', ...new Set(manifest.files.map((file) => file.split('/')[0]!))])
      if (top !== 'dist') cpSync(join(ROOT, top), join(clone, top), { recursive: true });
    execFileSync(process.execPath, [TSC, '-p', join(ROOT, 'tsconfig.build.json'), '--outDir', join(clone, 'dist')]);
    execFileSync(NPM, ['pack', '--ignore-scripts', '--offline', '--silent'], { cwd: clone });
    const tarball = join(clone, `thevenin-${manifest.version}.tgz`);
    execFileSync(TAR, ['-xzf', tarball, '-C', installed, '--strip-components=1']);
    for (const name of Object.keys(manifest.dependencies)) {
      mkdirSync(dirname(join(project, 'node_modules', name)), { recursive: true });
      symlinkSync(join(ROOT, 'node_modules', name), join(project, 'node_modules', name));
    }
    writeFileSync(join(project, 'package.json'), '{"private":true,"type":"module"}');
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const inProject = (...words: string[]): string =>
    execFileSync(process.execPath, words, { cwd: join(folder, 'project'), encoding: 'utf8' });

  it('runs its command', () => {
    const stdout = inProject(join(installed, 'dist/cli/main.js'), 'models');
    expect(stdout)
      .to.match(/^induction +plain/m)
      .and.to.match(/^ioi +gpt2/m);
  });

  it('is imported as a library, and discovers a bundled circuit with what it depends on', () => {
    const script = `import { discover } from 'thevenin';
      const { record } = await discover({ task: 'induction', model: 'induction', method: 'eap', edges: 10, examples: 8, out: 'run' });
      process.stdout.write(String(record.circuit.edgeCount), () => process.exit(0));`;
    expect(Number(inProject('--input-type=module', '--eval', script))).to.be.within(1, 10);
    expect(existsSync(join(folder, 'project/run/report.html'))).to.equal(true);
  });

  it('holds everything that its README links to', () => {
    const links = [...readFileSync(join(installed, 'README.md'), 'utf8').matchAll(/\]\(([^)#:]+)\)/g)].map(
      ([, path]) => path!,
    );
    expect(links).to.include('docs/commands.md');
    expect(links.filter((path) => !existsSync(join(installed, path)))).to.deep.equal([]);
  });
});
