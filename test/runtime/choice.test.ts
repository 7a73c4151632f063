import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { createRuntime, RUNTIMES, type RuntimeProbe } from '../../src/runtime/index.js';
import { TheveninError } from '../../src/errors.js';
import { absentRuntimes, availableRuntimes } from './available.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const TSX = import.meta.resolve('tsx');

const refusal = (key: string): Promise<unknown> => createRuntime(key).catch((error: unknown) => error);

describe('which runtime is used', () => {
  it('auto takes onnx, unless tfjs-node-gpu has a graphics card; the title says which', async () => {
    const onGpu = (await availableRuntimes()).find(({ key, onGpu }) => key === 'tfjs-node-gpu' && onGpu);
    const runtime = await createRuntime('auto', { threads: 1 });
    expect(runtime.info.key).to.equal(onGpu ? 'tfjs-node-gpu' : 'onnx');
    expect(runtime.info.title).to.match(onGpu ? /tfjs-node-gpu .*GPU/ : /^onnxruntime-node \d.*CPU, 1 thread$/);
    await runtime.dispose();
  });

  it('a runtime that nobody knows is refused with the names of those there are', async () => {
    const error = await refusal('tensorflow');
    expect(error).to.be.instanceOf(TheveninError).with.property('code', 'runtime/unknown');
    expect(error)
      .to.have.property('message')
      .that.includes('tensorflow; the runtimes are auto, tfjs-node-gpu, onnx, tfjs-node, tfjs-webgpu, tfjs-wasm');
  });

  it('one that does not work here is refused by what doctor says of it', async function () {
    const absent = await absentRuntimes();
    if (absent.length === 0) this.skip();
    for (const { key, reason } of absent) {
      const error = await refusal(key);
      expect(error).to.be.instanceOf(TheveninError).with.property('code', 'runtime/unavailable');
      expect(error).to.have.property('message', reason);
      expect(reason).to.match(/^[^\n]+: [^\n]+$/, 'one line: what is wrong, and what to do');
    }
  });
});

/** What a process that has Thevenin and this @tensorflow/tfjs-node-gpu, or none, finds out and uses. */
interface Found {
  readonly probes: readonly RuntimeProbe[];
  readonly auto: string;
  /** code and message of asking for tfjs-node-gpu by name */
  readonly refusal: readonly [string, string] | null;
}

const SCRIPT = `
  import { createRuntime, probeRuntimes } from './src/runtime/index.ts';
  const probes = await probeRuntimes();
  const auto = await createRuntime();
  const asked = process.argv[1] === 'ask' ? await createRuntime('tfjs-node-gpu').catch((error) => error) : null;
  const refusal = asked instanceof Error ? [asked.code, asked.message] : null;
  console.log(JSON.stringify({ probes, auto: auto.info.key, refusal }));
`;

/** A copy of the sources beside Thevenin's own packages, without any tfjs but the given one: package.json is all it lacks. */
function project(tfjsNodeGpu: string | null): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'thevenin-'));
  const modules = path.join(folder, 'node_modules');
  mkdirSync(modules);
  for (const name of readdirSync(path.join(ROOT, 'node_modules')))
    if (name !== '@tensorflow' && name !== '.bin')
      symlinkSync(path.join(ROOT, 'node_modules', name), path.join(modules, name));
  if (tfjsNodeGpu !== null) {
    const own = path.join(modules, '@tensorflow', 'tfjs-node-gpu');
    mkdirSync(own, { recursive: true });
    writeFileSync(path.join(own, 'package.json'), '{ "name": "@tensorflow/tfjs-node-gpu", "version": "4.22.0" }');
    writeFileSync(path.join(own, 'index.js'), tfjsNodeGpu);
  }
  cpSync(path.join(ROOT, 'src'), path.join(folder, 'src'), { recursive: true });
  writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }');
  return folder;
}

/** What a process prints last, as JSON. */
const lastLineOf = (args: readonly string[], cwd: string): Promise<unknown> =>
  new Promise((resolve, reject) => {
    execFile(process.execPath, ['--import', TSX, ...args], { cwd }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${error.message}\n${stderr}`));
      else resolve(JSON.parse(stdout.trim().split('\n').at(-1)!));
    });
  });

describe('an optional package that is absent or broken breaks nothing else', () => {
  const folders: string[] = [];
  after(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

  const found = async (tfjsNodeGpu: string | null, ask: 'ask' | 'do not ask' = 'ask'): Promise<Found> => {
    const folder = project(tfjsNodeGpu);
    folders.push(folder);
    return (await lastLineOf(['--input-type=module', '-e', SCRIPT, ask], folder)) as Found;
  };
  const noteOf = ({ probes }: Found): string => probes.find(({ key }) => key === 'tfjs-node-gpu')!.note;
  const expectTheRest = ({ probes, auto }: Found): void => {
    expect(probes.map(({ key }) => key)).to.deep.equal(RUNTIMES.map(({ key }) => key));
    expect(probes.filter(({ works }) => works).map(({ key }) => key)).to.deep.equal(['onnx', 'reference']);
    expect(auto).to.equal('onnx');
  };

  it('absent: onnx is used, and the line says what to install', async () => {
    const result = await found(null);
    expectTheRest(result);
    expect(noteOf(result)).to.equal(
      'tfjs-node-gpu needs @tensorflow/tfjs-node-gpu, not installed here: npm install @tensorflow/tfjs-node-gpu@4.22.0',
    );
    expect(result.refusal).to.deep.equal(['runtime/unavailable', noteOf(result)]);
  });

  it('its library missing: the first line of what it throws, and what to do', async () => {
    const result = await found(
      "throw new Error('libtensorflow_cc.so.2: cannot open shared object file\\n  some more\\n  lines');",
    );
    expectTheRest(result);
    expect(noteOf(result)).to.match(
      /^tfjs-node-gpu does not load \(libtensorflow_cc\.so\.2: cannot open shared object file\): .*npm run setup:tfjs-node/,
    );
    expect(result.refusal).to.deep.equal(['runtime/unavailable', noteOf(result)]);
  });

  it('crashing when loaded: only the process that tries it dies', async () => {
    const result = await found('console.log("libtensorflow says hello"); process.abort();', 'do not ask');
    expectTheRest(result);
    expect(noteOf(result)).to.match(/^tfjs-node-gpu brings its process down \(SIGABRT\): /);
  });

  it('ending the process when loaded: likewise', async () => {
    const result = await found('process.exit(3);', 'do not ask');
    expectTheRest(result);
    expect(noteOf(result)).to.match(/^tfjs-node-gpu brings its process down \(exit 3\): /);
  });

  it('loading, but without what tfjs has', async () => {
    const result = await found('module.exports = {};');
    expectTheRest(result);
    expect(noteOf(result)).to.match(/^tfjs-node-gpu does not load \(.+\): /);
  });
});

describe('Node without util.isNullOrUndefined, as from version 23 on', () => {
  it('runs tfjs-node-gpu all the same', async function () {
    const works = (await availableRuntimes()).some(({ key }) => key === 'tfjs-node-gpu');
    if (!works) this.skip();
    const probe = pathToFileURL(path.join(ROOT, 'src/runtime/probe.ts')).href;
    const code = `import util from 'node:util';
      delete util.isNullOrUndefined;
      const { tryRuntime } = await import(${JSON.stringify(probe)});
      process.stdout.write('\\n' + JSON.stringify(await tryRuntime('tfjs-node-gpu')), () => process.exit());`;
    const found = (await lastLineOf(['--input-type=module', '-e', code], ROOT)) as RuntimeProbe;
    expect(found.works, found.note).to.be.true;
  });
});
