/** Suricata as the bench runs it: one thread, no rules, flow records alone. */

/** Brings Suricata 7 to a Debian that has none. */
export const INSTALL = 'test/bench/install-suricata.sh';
export const RECORDS = 'eve.json';
export const CONFIG = 'suricata.yaml';

/** Flows have all the memory that they ask for; limits of streams, and what is parsed, are those of the program. */
const asItComes = `%YAML 1.1
---
stats: { enabled: no }
outputs:
  - eve-log: { enabled: yes, filetype: regular, filename: ${RECORDS}, community-id: yes, types: [flow] }
logging:
  default-log-level: warning
  outputs: [console: { enabled: yes }]
decoder:
  vxlan: { enabled: true, ports: [4789] }
flow: { memcap: 1gb, hash-size: 262144, prealloc: 10000 }
`;

/** What Suricata does besides its flow table, as far as settings can take it away: no names, no streams put together. */
const flowsAlone = `${asItComes}stream:
  reassembly: { depth: 1 }
app-layer:
  protocols:
    tls: { enabled: no }
    http: { enabled: no }
    dns:
      tcp: { enabled: no }
      udp: { enabled: no }
`;

export const configs = { asItComes, flowsAlone } as const;

/** Reads a capture and verifies checksums; writes records, and finds its settings, in the folder. */
export function suricataCommand(input: string, folder: string): readonly string[] {
  const config = ['-c', `${folder}/${CONFIG}`, '-S', '/dev/null', '-l', folder];
  return ['suricata', ...config, '--runmode', 'single', '-k', 'all', '-r', input];
}
