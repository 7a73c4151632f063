/**
 * The folder tree is the architecture and its arrows run one way:
 *
 *   cli -> jobs -> attribution -> interventions | evaluation | report -> text -> circuit | engine | train -> task -> model -> runtime -> program
 *   viewer -> report alone
 *
 * A room may import any room below it, none above it and none beside it, with the exceptions named here. Inside a room that has
 * an order of its own (SUB_ROOMS) the same holds of the rooms within it.
 */
const LEVELS = [
  ['cli'],
  ['jobs'],
  ['attribution'],
  ['interventions', 'evaluation', 'report'],
  ['text'],
  ['circuit', 'engine', 'train'],
  ['task'],
  ['model'],
  ['runtime'],
  ['program'],
];
const BESIDE = { engine: ['circuit'] }; // the engine answers questions about edges

/** Top down, as LEVELS. */
const SUB_ROOMS = {
  engine: [['gradients'], ['questions'], ['sources', 'judging'], ['model-run'], ['core'], ['kernels'], ['metrics']],
  attribution: [['edges', 'nodes', 'tokens']],
  interventions: [['patching', 'steering', 'scrubbing', 'tracing']],
  report: [['folders'], ['pages'], ['charts'], ['schema'], ['records'], ['formats']],
};

const room = (names) => `^src/(${names.join('|')})/`;

const roomRules = LEVELS.flatMap((level, depth) =>
  level.map((name) => {
    const allowed = [name, ...(BESIDE[name] ?? []), ...LEVELS.slice(depth + 1).flat()];
    return {
      name: `arrows-of-${name}`,
      comment: `src/${name} may import only: ${allowed.join(', ')} and the files directly in src/ (but not the library entry).`,
      severity: 'error',
      from: { path: room([name]) },
      to: { path: '^src/([^/]+/|index\\.ts$)', pathNot: room(allowed) },
    };
  }),
);

const subRoomRules = Object.entries(SUB_ROOMS).flatMap(([parent, levels]) =>
  levels.flatMap((level, depth) =>
    level.map((name) => {
      const allowed = [name, ...levels.slice(depth + 1).flat()];
      return {
        name: `arrows-of-${parent}-${name}`,
        comment: `src/${parent}/${name} may import, of the rooms in src/${parent}, only: ${allowed.join(', ')}.`,
        severity: 'error',
        from: { path: `^src/${parent}/${name}/` },
        to: { path: `^src/${parent}/[^/]+/`, pathNot: `^src/${parent}/(${allowed.join('|')})/` },
      };
    }),
  ),
);

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...roomRules,
    ...subRoomRules,
    {
      name: 'arrows-of-viewer',
      comment: 'The viewer reads report records and nothing else.',
      severity: 'error',
      from: { path: '^src/viewer/' },
      to: { path: '^src/([^/]+/|index\\.ts$)', pathNot: room(['viewer', 'report']) },
    },
    {
      name: 'shared-files-stand-alone',
      comment:
        'Files directly in src/ that every room may import (errors) import no room; only the library entry does.',
      severity: 'error',
      from: { path: '^src/[^/]+\\.ts$', pathNot: '^src/index\\.ts$' },
      to: { path: '^src/[^/]+/' },
    },
    {
      name: 'rooms-are-known',
      comment: 'A new folder in src/ takes its place in LEVELS first.',
      severity: 'error',
      from: { path: '^src/[^/]+/', pathNot: room([...LEVELS.flat(), 'viewer']) },
      to: {},
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      comment: 'A module that nobody imports and that is no entry is dead.',
      severity: 'error',
      from: { orphan: true, pathNot: ['^src/index\\.ts$', '^src/(cli|train)/main\\.ts$', '\\.d\\.ts$'] },
      to: {},
    },
    {
      name: 'src-stands-alone',
      comment: 'What is shipped does not reach into tests, benchmarks, docs or tools.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench|docs|tools)/' },
    },
    {
      name: 'src-needs-only-dependencies',
      comment: 'tfjs and webgpu are optional at run time: the tfjs runtime imports whatever of them is there.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/runtime/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'imports-resolve',
      severity: 'error',
      from: { pathNot: '^src/runtime/' },
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
