/** Ports below this are those of services (RFC 6335 section 6, "System Ports"). */
const SYSTEM_PORTS = 1024;
/** Services above, as IANA's registry or custom has it: databases, queues, proxies, remote desktops. */
const SERVICE_PORTS = new Set([
  1194, 1433, 1521, 1723, 1812, 1813, 1883, 2049, 2181, 2375, 2376, 2379, 2380, 3000, 3128, 3260, 3268, 3269,
  3306, 3389, 4222, 4317, 4318, 4500, 4789, 5044, 5060, 5061, 5201, 5222, 5353, 5432, 5439, 5601, 5671, 5672,
  5900, 5985, 5986, 6081, 6379, 6443, 7000, 7001, 8000, 8080, 8081, 8086, 8088, 8125, 8182, 8200, 8300, 8301,
  8443, 8500, 8883, 8888, 9000, 9042, 9090, 9091, 9092, 9093, 9094, 9096, 9098, 9100, 9200, 9300, 9418,
  10_250, 10_255, 11_211, 15_672, 25_565, 27_017, 27_018, 27_019, 50_051, 51_820,
]);

/** Whether a port is that of a service rather than one that a client is given. */
export function isServicePort(port: number): boolean {
  return port < SYSTEM_PORTS ? port > 0 : SERVICE_PORTS.has(port);
}
