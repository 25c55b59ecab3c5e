import { expect, test } from 'vitest';
import { errnoName, systemCallFailed } from '../../../src/native/failure.ts';
import { remedyFor } from '../../../src/native/remedies.ts';

test.each([
  { errno: 1, name: 'EPERM' },
  { errno: 11, name: 'EAGAIN' },
  { errno: 95, name: 'ENOTSUP' },
  { errno: 524, name: 'errno 524' },
])('$errno is $name', ({ errno, name }) => {
  expect(errnoName(errno)).toBe(name);
});

test.each([
  {
    call: 'socket',
    errno: 'EPERM',
    what: 'AF_PACKET',
    remedy: /CAP_NET_RAW.*setcap cap_net_raw\+ep.*--cap-add/,
  },
  { call: 'setsockopt', errno: 'EPERM', what: 'PACKET_FANOUT', remedy: /CAP_NET_RAW/ },
  { call: 'setsockopt', errno: 'EPERM', what: 'SO_RCVBUFFORCE', remedy: /CAP_NET_ADMIN.*rmem_max/ },
  { call: 'bind', errno: 'EACCES', what: 'AF_INET port 53', remedy: /CAP_NET_BIND_SERVICE/ },
  { call: 'setsockopt', errno: 'ENOMEM', what: 'PACKET_RX_RING', remedy: /listen\.ring\.bytes smaller/ },
  { call: 'setsockopt', errno: 'ENOBUFS', what: 'PACKET_RX_RING', remedy: /listen\.ring\.bytes smaller/ },
  { call: 'mmap', errno: 'ENOMEM', what: '4096 bytes', remedy: /listen\.ring\.bytes smaller/ },
  { call: 'setsockopt', errno: 'ENOMEM', what: 'SO_ATTACH_FILTER', remedy: /optmem_max/ },
  { call: 'bind', errno: 'EADDRINUSE', what: 'AF_INET port 4789', remedy: /ss -lunp/ },
  { call: 'bind', errno: 'EADDRNOTAVAIL', what: 'AF_INET port 4789', remedy: /listen\.address/ },
  { call: 'if_nametoindex', errno: 'ENODEV', what: 'eth9', remedy: /ip link lists/ },
  { call: 'bind', errno: 'ENETDOWN', what: 'AF_PACKET', remedy: /ip link set/ },
  { call: 'socket', errno: 'EMFILE', what: 'AF_INET', remedy: /ulimit -n/ },
  { call: 'socket', errno: 'EAFNOSUPPORT', what: 'AF_INET6', remedy: /disable_ipv6/ },
  { call: 'setsockopt', errno: 'ENOPROTOOPT', what: 'PACKET_IGNORE_OUTGOING', remedy: /older/ },
  { call: 'recvmmsg', errno: 'ENOSYS', what: '', remedy: /seccomp/ },
  { call: 'bind', errno: 'EINVAL', what: 'AF_INET port 1', remedy: undefined },
])('$call of "$what" with $errno has the remedy $remedy', ({ call, errno, what, remedy }) => {
  const told = remedyFor(call, errno, what);
  if (remedy === undefined) expect(told).toBeUndefined();
  else expect(told).toMatch(remedy);
});

test('the error has the call, the name of its number and what it was about', () => {
  const error = systemCallFailed('if_nametoindex', 19, 'eth9');
  expect(error).toMatchObject({
    code: 'SYSTEM_CALL_FAILED',
    context: { call: 'if_nametoindex', errno: 'ENODEV', what: 'eth9' },
  });
  expect(error.message).toMatch(/^The system refused if_nametoindex \(eth9\): ENODEV\. There is no network/);
  expect(systemCallFailed('poll', 22)).toMatchObject({
    message: 'The system refused poll: EINVAL.',
    context: { call: 'poll', errno: 'EINVAL' },
  });
});
