import type { Config } from '../../config/settings.ts';
import { createHttpServer, type HttpServer } from '../../http/server.ts';
import { createTcpHealth, type TcpHealth } from '../../http/tcp-health.ts';
import { createMetrics } from '../../observe/metrics/metrics.ts';
import type { Log } from '../../observe/log.ts';
import type { Report } from '../../observe/report.ts';
import { Appliance } from './appliance.ts';
import type { CommandIo } from '../io.ts';

/** The port for TCP health checks follows readiness within this time. */
const TCP_HEALTH_INTERVAL_MS = 250;

/** The appliance with its HTTP port, as `receive` and `lab` run it. */
export interface RunningAppliance {
  readonly appliance: Appliance;
  readonly http: HttpServer;
  readonly tcpHealth: { close(): Promise<void> };
}

/** Starts HTTP first, so that a load balancer sees 503 and not a closed port until workers receive. */
export async function startAppliance(config: Config, io: CommandIo): Promise<RunningAppliance> {
  const { log, logSettings } = io;
  const { address, port, tcpHealthPort } = config.http;
  const appliance = new Appliance({ config, log, logSettings, now: Date.now });
  const http = await createHttpServer({
    address,
    port,
    log,
    readiness: () => appliance.readiness(),
    metrics: createMetrics({ snapshot: () => appliance.snapshot() }),
  });
  log.info({ address, port: http.port }, 'HTTP answers health checks and scrapes.');
  try {
    await appliance.start();
    const tcpHealth = tcpHealthPort === 0 ? undefined : createTcpHealth({ address, port: tcpHealthPort });
    await tcpHealth?.open();
    return { appliance, http, tcpHealth: followReadiness(tcpHealth, appliance, log) };
  } catch (error) {
    await appliance.stop();
    await http.close();
    throw error;
  }
}

/** Stops in order and returns the last report. */
export async function stopAppliance({ appliance, http, tcpHealth }: RunningAppliance): Promise<Report> {
  await tcpHealth.close();
  await appliance.stop();
  const report = appliance.report();
  await http.close();
  return report;
}

/** Opens and closes the port as readiness turns. */
function followReadiness(
  port: TcpHealth | undefined,
  appliance: Appliance,
  log: Log,
): { close(): Promise<void> } {
  if (port === undefined) return { close: () => Promise.resolve() };
  const timer = setInterval(() => {
    const turned = appliance.readiness().httpStatus === 200 ? port.open() : port.close();
    turned.catch((error: unknown) =>
      log.error({ error }, 'The port for TCP health checks cannot be opened.'),
    );
  }, TCP_HEALTH_INTERVAL_MS);
  return {
    close: () => {
      clearInterval(timer);
      return port.close();
    },
  };
}
