// Settings of the local Kafka: one small node on 127.0.0.1. What clients can observe is as in a real cluster (topics are not
// created automatically, message sizes are the defaults). Only waits that make no sense with one node are shortened.

/** The text of server.properties. Only Kafka itself uses the controller's port, so it may change at each start. */
export function serverProperties(at: { port: number; controllerPort: number; dataDir: string }): string {
  const settings: Record<string, string | number | boolean> = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${at.controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://127.0.0.1:${at.port},CONTROLLER://127.0.0.1:${at.controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${at.port}`,
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': at.dataDir,
    'auto.create.topics.enable': false,
    'offsets.topic.num.partitions': 8,
    'offsets.topic.replication.factor': 1,
    'transaction.state.log.num.partitions': 8,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.num.partitions': 8,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    // A broker that was killed is taken back only when its old session has run out: 9 s by default.
    'broker.session.timeout.ms': 3000,
    'broker.heartbeat.interval.ms': 500,
    // The default takes 128 MB of the heap for compaction.
    'log.cleaner.dedupe.buffer.size': 33_554_432,
    'num.network.threads': 2,
    'num.io.threads': 4,
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

/** Kafka's log: one file of at most 10 MB and one before it. */
export function log4jSettings(logFile: string): string {
  return `Configuration:
  Appenders:
    RollingFile:
      name: FILE
      fileName: ${JSON.stringify(logFile)}
      filePattern: ${JSON.stringify(`${logFile}.%i`)}
      PatternLayout:
        pattern: "%d %p %m (%c)%n"
      SizeBasedTriggeringPolicy:
        size: 10MB
      DefaultRolloverStrategy:
        max: 1
  Loggers:
    Root:
      level: INFO
      AppenderRef:
        ref: FILE
`;
}
