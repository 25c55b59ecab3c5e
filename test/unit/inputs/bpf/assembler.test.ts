import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assemble, INSTRUCTIONS_MAX } from '../../../../src/inputs/bpf/assembler.ts';
import * as bpf from '../../../../src/inputs/bpf/instructions.ts';
import { dropAll } from '../../../../src/inputs/bpf/program.ts';
import { disassemble, Refused, run, verify } from '../../../support/bpf-machine.ts';
import { hex } from '../../../support/hex.ts';
import { scaled } from '../../../support/scale.ts';

const { abs, at, imm, ind, ja, jeq, jge, jgt, jne, jset, ld, ldb, ldh, ldx, ldxb, len, mem, msh, ret, X } =
  bpf;

/** Numbers of linux/bpf_common.h and linux/filter.h, put together by hand. */
const encodings: readonly (readonly [string, bpf.Instruction, code: number, k: number])[] = [
  ['ld [12]', ld(abs(12)), 0x20, 12],
  ['ldh [12]', ldh(abs(12)), 0x28, 12],
  ['ldb [23]', ldb(abs(23)), 0x30, 23],
  ['ld [x + 4]', ld(ind(4)), 0x40, 4],
  ['ldh [x + 4]', ldh(ind(4)), 0x48, 4],
  ['ldb [x + 4]', ldb(ind(4)), 0x50, 4],
  ['ld #5', ld(imm(5)), 0x00, 5],
  ['ld M[3]', ld(mem(3)), 0x60, 3],
  ['ld #pktlen', ld(len), 0x80, 0],
  ['ld #proto', ld(bpf.protocol), 0x20, 0xffff_f000],
  ['ld #type', ld(bpf.packetType), 0x20, 0xffff_f004],
  ['ld #vlan_tci', ld(bpf.vlanTag), 0x20, 0xffff_f02c],
  ['ld #vlan_avail', ld(bpf.vlanTagPresent), 0x20, 0xffff_f030],
  ['ldx #5', ldx(imm(5)), 0x01, 5],
  ['ldx M[3]', ldx(mem(3)), 0x61, 3],
  ['ldx #pktlen', ldx(len), 0x81, 0],
  ['ldxb 4*([14]&0xf)', ldxb(msh(14)), 0xb1, 14],
  ['st M[3]', bpf.st(3), 0x02, 3],
  ['stx M[3]', bpf.stx(3), 0x03, 3],
  ['tax', bpf.tax, 0x07, 0],
  ['txa', bpf.txa, 0x87, 0],
  ['add #7', bpf.add(7), 0x04, 7],
  ['add x', bpf.add(X), 0x0c, 0],
  ['sub #7', bpf.sub(7), 0x14, 7],
  ['sub x', bpf.sub(X), 0x1c, 0],
  ['mul #7', bpf.mul(7), 0x24, 7],
  ['and #7', bpf.and(7), 0x54, 7],
  ['lsh #7', bpf.lsh(7), 0x64, 7],
  ['rsh #7', bpf.rsh(7), 0x74, 7],
  ['mod #7', bpf.mod(7), 0x94, 7],
  ['xor #7', bpf.xor(7), 0xa4, 7],
  ['xor x', bpf.xor(X), 0xac, 0],
  ['ret #7', ret(7), 0x06, 7],
  ['ret a', bpf.retA, 0x16, 0],
];
test.each(encodings)('%s', (_, instruction, code, k) => {
  expect(disassemble(assemble([instruction]))).toEqual([{ code, jt: 0, jf: 0, k }]);
});

test.each([
  ['jeq #7', jeq(7, 'there'), 0x15, 7, 2, 0],
  ['jeq x', jeq(X, 'there'), 0x1d, 0, 2, 0],
  ['jgt #7', jgt(7, 'there'), 0x25, 7, 2, 0],
  ['jge #7', jge(7, 'there', 'here'), 0x35, 7, 2, 1],
  ['jset #7', jset(7, undefined, 'there'), 0x45, 7, 0, 2],
  ['jne #7', jne(7, 'there'), 0x15, 7, 0, 2],
])('%s', (_, jump, code, k, jt, jf) => {
  const steps = [jump, ld(imm(0)), at('here'), ld(imm(1)), at('there'), ret(0)];
  expect(disassemble(assemble(steps))[0]).toEqual({ code, jt, jf, k });
});

test('ja counts in its 32-bit number', () => {
  const [first] = disassemble(assemble([ja('end'), ...filler(300), at('end'), ret(0)]));
  expect(first).toEqual({ code: 0x05, jt: 0, jf: 0, k: 300 });
});

test('bytes are those of struct sock_filter, little-endian', () => {
  expect(assemble([ldh(abs(0x1234)), jeq(0x0806, 'no'), ret(1), at('no'), ret(0)])).toEqual(
    hex('2800000034120000 1500010006080000 0600000001000000 0600000000000000'),
  );
});

test('the program that drops all', () => {
  verify(dropAll);
  expect(run(dropAll, new Uint8Array(100))).toBe(0);
});

function filler(count: number): bpf.Instruction[] {
  return Array.from({ length: count }, () => bpf.tax);
}

describe('jumps that are too long for a byte', () => {
  const distances = fc.oneof(
    fc.integer({ min: 0, max: 20 }),
    fc.integer({ min: 245, max: 265 }),
    fc.constant(900),
  );
  test('arrive where they should, whichever way they take', () => {
    fc.assert(
      fc.property(distances, distances, fc.boolean(), fc.boolean(), (first, second, swap, equal) => {
        const [yes, no] = swap ? (['near', 'far'] as const) : (['far', 'near'] as const);
        const program = assemble([
          ld(imm(equal ? 5 : 6)),
          jeq(5, yes, no),
          ...filler(first),
          at('near'),
          ret(1),
          ...filler(second),
          at('far'),
          ret(2),
        ]);
        verify(program);
        expect(run(program, new Uint8Array())).toBe((equal ? yes : no) === 'near' ? 1 : 2);
      }),
      { numRuns: scaled(5000) },
    );
  });

  test('255 instructions need no detour, 256 do', () => {
    const lengthOf = (distance: number): number =>
      assemble([jeq(1, 'end'), ...filler(distance), at('end'), ret(0)]).length / 8;
    expect(lengthOf(255)).toBe(257);
    expect(lengthOf(256)).toBe(259);
  });

  test('a detour may be what makes the jump around it too long', () => {
    // the second jump's detour pushes the end one further from the first
    const steps = [jeq(1, 'end'), jeq(2, 'end'), ...filler(255), at('end'), ret(9)];
    const program = assemble(steps);
    verify(program);
    expect(program.length / 8).toBe(257 + 1 + 2 - 1);
    for (const a of [1, 2, 3]) expect(run(assemble([ld(imm(a)), ...steps]), new Uint8Array())).toBe(9);
  });
});

test.each([
  ['a label that is not there', [ja('nowhere'), ret(0)], 'jumps to nowhere'],
  ['a label that stands twice', [at('here'), ret(0), at('here'), ret(1)], 'here stands twice'],
  ['a jump back', [at('loop'), ld(imm(0)), jeq(0, 'loop'), ret(0)], 'jumps back to loop'],
  ['too many instructions', filler(INSTRUCTIONS_MAX + 1), '4097 instructions'],
])('refused: %s', (_, steps, message) => {
  expect(() => assemble(steps)).toThrow(message);
});

test.each([
  ['nothing', [], '0 instructions'],
  ['no end', [ld(imm(0))], 'does not end in ret'],
  ['a division by 0', [bpf.mod(0), ret(0)], 'divides by 0'],
  ['a shift by 32', [bpf.lsh(32), ret(0)], 'shifts by 32'],
  ['memory that was never written', [ld(mem(1)), ret(0)], 'reads M[1]'],
  [
    'memory that was written on one way only',
    [jeq(1, 'skip'), bpf.st(1), at('skip'), ld(mem(1)), ret(0)],
    'reads M[1]',
  ],
  ['memory that is not there', [bpf.st(16), ret(0)], 'M[16]'],
])('what the kernel would refuse, the tests’ machine refuses: %s', (_, steps: bpf.Step[], message) => {
  expect(() => verify(assemble(steps))).toThrow(Refused);
  expect(() => verify(assemble(steps))).toThrow(message);
});
