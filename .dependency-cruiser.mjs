/** Which rooms of `src` each room may import besides itself and `wire`; the table in src/README.md says the same. */
export const rooms = {
  wire: [],
  packet: [],
  format: ['packet'],
  receive: ['packet'],
  mirror: ['packet'],
  observe: [],
  pipeline: ['packet', 'observe'],
  native: ['observe'],
  inputs: ['packet', 'format', 'pipeline', 'native', 'observe'],
  store: ['packet', 'format', 'observe'],
  sinks: ['packet', 'format', 'pipeline', 'native', 'store', 'observe'],
  http: ['packet', 'store', 'observe'],
  config: ['receive', 'mirror', 'pipeline', 'inputs', 'sinks', 'store', 'http', 'observe'],
  app: [
    'packet',
    'format',
    'receive',
    'mirror',
    'observe',
    'pipeline',
    'inputs',
    'sinks',
    'store',
    'http',
    'config',
  ],
  'main.ts': ['app', 'config'],
};

/** Rooms without clock, timer, randomness, log, Node module or package; time and the like are arguments. */
export const pureRooms = ['wire', 'packet', 'format', 'receive', 'mirror'];

/** The rooms that may import a package; a package that is not named here is nobody's. */
export const packages = {
  '@platformatic/kafka': ['sinks'],
  'aws-msk-iam-sasl-signer-js': ['sinks'],
  avsc: ['sinks'],
  commander: ['app', 'main.ts'],
  fastify: ['http'],
  kafkajs: ['sinks'],
  koffi: ['native'],
  pino: ['observe'],
  piscina: ['app'],
  'prom-client': ['observe'],
  typebox: ['pipeline', 'inputs', 'sinks', 'http', 'config'],
  yaml: ['config'],
};

const inRoom = (room) => (room.endsWith('.ts') ? `^src/${room.replace('.', '\\.')}$` : `^src/${room}/`);
const inRooms = (names) => names.map(inRoom).join('|');

const layers = Object.entries(rooms).map(([room, allowed]) => ({
  name: `layers-${room}`,
  comment: `${room} may import ${['wire', ...allowed].join(', ')}.`,
  severity: 'error',
  from: { path: inRoom(room) },
  to: { path: '^src/', pathNot: inRooms([room, 'wire', ...allowed]) },
}));

const owners = Object.entries(packages).map(([name, owner]) => ({
  name: `package-${name}`,
  comment: `${name} stays behind ${owner.join(', ')}.`,
  severity: 'error',
  from: { path: '^src/', pathNot: [inRooms(owner), ...(name === 'typebox' ? ['/settings\\.ts$'] : [])] },
  to: { path: `node_modules/${name}/` },
}));

export default {
  forbidden: [
    ...layers,
    ...owners,
    {
      name: 'room-unknown',
      comment: 'A folder of src is a room with a row in the table above.',
      severity: 'error',
      from: {},
      to: { path: '^src/', pathNot: inRooms(Object.keys(rooms)) },
    },
    {
      name: 'pure-no-node-module',
      comment: 'A pure room imports no module of Node.',
      severity: 'error',
      from: { path: inRooms(pureRooms) },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'pure-no-package',
      comment: 'A pure room imports no package; its settings.ts may import typebox.',
      severity: 'error',
      from: { path: inRooms(pureRooms) },
      to: { path: 'node_modules/', pathNot: 'node_modules/typebox/' },
    },
    {
      name: 'settings-read-by-config-only',
      comment: 'The settings of a pure room are read by config; the room itself may name their type.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/config/' },
      to: { path: `(${inRooms(pureRooms)})settings\\.ts$`, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'package-unknown',
      comment: 'A package that src imports has a row in the table above.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: 'node_modules/', pathNot: `node_modules/(${Object.keys(packages).join('|')})/` },
    },
    {
      name: 'no-test-code',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|deploy|samples)/' },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    { name: 'no-circle', severity: 'error', from: {}, to: { circular: true } },
  ],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: 'node_modules/(@types|node-linux)' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      extensions: ['.ts', '.mjs', '.js', '.json'],
      conditionNames: ['import', 'node', 'types'],
    },
  },
};
