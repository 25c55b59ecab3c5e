import { deviceRequest } from './constants.ts';
import { systemCalls } from './library.ts';
import { checked } from './retry.ts';

/**
 * ioctl with a structure.
 *
 * @param request as in `SIOCETHTOOL`
 * @param argument the structure, read and written by the kernel; an address inside it must stay valid during the call
 * @param device what the request is about, for the error
 * @throws MirrorError `SYSTEM_CALL_FAILED`
 */
export function controlDevice(descriptor: number, request: number, argument: Uint8Array, device = ''): void {
  const { ioctl } = systemCalls();
  const what = `${requestName(request)} ${device}`.trimEnd();
  checked('ioctl', () => ioctl(descriptor, request, argument), what);
}

function requestName(request: number): string {
  const known = Object.entries(deviceRequest).find(([, number]) => number === request);
  return known?.[0] ?? `request 0x${request.toString(16)}`;
}
