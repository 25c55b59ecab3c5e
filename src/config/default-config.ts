import type { Config } from './settings.ts';

/**
 * The settings when nobody gives any: what `loadConfig` fills in, written down. A command that is given no setting
 * takes them from here and starts in half the time, for reading the schema library is the other half.
 *
 * A test compares the two; who adds a setting or changes a default writes it here as well.
 */
export const defaultConfig: Config = {
  listen: {
    mode: 'auto',
    address: '0.0.0.0',
    interface: 'auto',
    vxlanPorts: [4789],
    genevePorts: [6081],
    receiveBufferBytes: 67108864,
    ring: {
      bytes: 67108864,
      retireMs: 8,
    },
    steering: 'flow',
  },
  workers: 0,
  behind: 'direct',
  admission: {
    sources: [],
    mirrorSources: [],
    vnis: [],
    maxLanes: 4096,
    laneIdleSeconds: 86400,
    expect: [],
  },
  analysis: {
    checksums: {
      verify: 'all',
    },
    order: {
      holdUs: 20000,
      holdPackets: 64,
      holdBytes: 67108864,
    },
    duplicates: {
      detect: 'off',
      windowUs: 100000,
      acrossVnis: true,
    },
    flows: {
      enabled: true,
      maxFlows: 1000000,
      nameBytes: 67108864,
      idleSeconds: {
        tcp: 350,
        udp: 60,
        other: 30,
      },
      activeSeconds: 120,
      perVlan: false,
    },
  },
  sinks: {
    captures: {
      kind: 'files',
      directory: './captures',
      format: 'pcapng',
      split: 'lane',
      rotateBytes: 268435456,
      rotateSeconds: 300,
      rotatePackets: 0,
      compress: 'none',
      keepBytes: 0,
      keepSeconds: 0,
      keepFreePercent: 10,
      enabled: true,
      select: {
        vnis: [],
        filter: '',
        snapLength: 0,
        sampleFlows: 1,
      },
      output: {
        order: 'auto',
        repair: 'none',
        duplicates: 'keep',
      },
    },
  },
  http: {
    address: '0.0.0.0',
    port: 8080,
    readiness: 'any',
    tcpHealthPort: 0,
    token: null,
  },
  drainSeconds: 'auto',
};
