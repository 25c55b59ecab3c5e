/** Listeners of the brokers of the tests. PROXIED is plain text too, and tells clients to come by way of a proxy. */
export type ListenerName = 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL' | 'PROXIED';

/** PEM files of a server: the key and its certificates in one file, and whom it trusts in another. */
export interface ServerCertificate {
  readonly keyStoreFile: string;
  readonly caFile: string;
}

/** Of what server.properties of one node is made. */
export interface NodeProperties {
  readonly nodeId: number;
  readonly dataFolder: string;
  readonly ports: ReadonlyMap<ListenerName, number>;
  readonly controllerPort: number;
  /** `1@127.0.0.1:PORT,…` of all controllers. */
  readonly voters: string;
  readonly nodes: number;
  readonly proxyPort?: number;
  readonly certificate?: ServerCertificate;
  /** Whether a client has to show a certificate; otherwise it may. */
  readonly clientCertificate: 'requested' | 'required';
  readonly user: { readonly name: string; readonly password: string };
  readonly authorizer: boolean;
  /** What the test wants besides, or otherwise. */
  readonly more: Readonly<Record<string, string>>;
}

const protocols: Readonly<Record<ListenerName | 'CONTROLLER', string>> = {
  CONTROLLER: 'PLAINTEXT',
  PLAINTEXT: 'PLAINTEXT',
  PROXIED: 'PLAINTEXT',
  SSL: 'SSL',
  SASL_PLAINTEXT: 'SASL_PLAINTEXT',
  SASL_SSL: 'SASL_SSL',
};

/** The text of server.properties: broker and controller in one process, on 127.0.0.1. */
export function serverProperties(node: NodeProperties): string {
  const listeners = [...node.ports].map(([name, port]) => `${name}://127.0.0.1:${port}`);
  const advertised = [...node.ports].map(
    ([name, port]) => `${name}://127.0.0.1:${name === 'PROXIED' ? (node.proxyPort ?? port) : port}`,
  );
  const replicas = String(node.nodes);
  const inSync = String(Math.max(1, node.nodes - 1));
  return lines({
    'process.roles': 'broker,controller',
    'node.id': String(node.nodeId),
    'controller.quorum.voters': node.voters,
    listeners: [...listeners, `CONTROLLER://127.0.0.1:${node.controllerPort}`].join(','),
    'advertised.listeners': advertised.join(','),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': Object.entries(protocols)
      .map((pair) => pair.join(':'))
      .join(','),
    'log.dirs': node.dataFolder,
    'num.partitions': '4',
    'auto.create.topics.enable': 'false',
    'default.replication.factor': replicas,
    'min.insync.replicas': inSync,
    'offsets.topic.num.partitions': '4',
    'offsets.topic.replication.factor': replicas,
    'transaction.state.log.num.partitions': '4',
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': inSync,
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': inSync,
    'group.initial.rebalance.delay.ms': '0',
    // a broker that comes back is let in once its former session has run out, after 9 s by default
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '300',
    ...secured(node),
    ...(node.authorizer ? authorizer : {}),
    ...node.more,
  });
}

/** Everything is allowed of which no rule speaks, so that a test denies what it wants denied. */
const authorizer = {
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'allow.everyone.if.no.acl.found': 'true',
};

function secured(node: NodeProperties): Record<string, string> {
  const found: Record<string, string> = {};
  if (node.certificate !== undefined) {
    found['ssl.keystore.type'] = 'PEM';
    found['ssl.keystore.location'] = node.certificate.keyStoreFile;
    found['ssl.truststore.type'] = 'PEM';
    found['ssl.truststore.location'] = node.certificate.caFile;
    found['listener.name.ssl.ssl.client.auth'] = node.clientCertificate;
  }
  for (const listener of ['SASL_PLAINTEXT', 'SASL_SSL'] as const) {
    if (!node.ports.has(listener)) continue;
    const prefix = `listener.name.${listener.toLowerCase()}`;
    const { name, password } = node.user;
    const modules = 'org.apache.kafka.common.security';
    found[`${prefix}.sasl.enabled.mechanisms`] = 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER';
    found[`${prefix}.plain.sasl.jaas.config`] =
      `${modules}.plain.PlainLoginModule required user_${name}="${password}";`;
    for (const mechanism of ['scram-sha-256', 'scram-sha-512']) {
      found[`${prefix}.${mechanism}.sasl.jaas.config`] = `${modules}.scram.ScramLoginModule required;`;
    }
    // a token without a signature is believed: the tests make their own
    found[`${prefix}.oauthbearer.sasl.jaas.config`] =
      `${modules}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="${name}";`;
  }
  return found;
}

function lines(properties: Readonly<Record<string, string>>): string {
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}
