import { disk, testFindings } from '../../../support/doctor-facts.ts';

testFindings([
  {
    name: 'disk-write',
    when: 'the folder is closed to us',
    facts: { disks: [disk({ refusal: 'EACCES', freeBytes: 0, totalBytes: 0, bytesPerSecond: undefined })] },
    status: 'problem',
    says: /The sink captures cannot write to \.\/captures: EACCES/,
  },
  {
    name: 'disk-write',
    when: 'no sink writes',
    facts: { disks: [] },
    status: 'ok',
    says: /No sink writes files/,
  },
  {
    name: 'disk-space',
    when: 'it is full',
    facts: { disks: [disk({ freeBytes: 10e9, bytesPerSecond: undefined })] },
    status: 'problem',
    says: /10\.0 GB free of 100\.0 GB \(10 %\); 10 % are to stay free\. .*diskFull/,
  },
  {
    name: 'disk-space',
    when: 'that of flow records is full',
    facts: { disks: [disk({ keeps: 'records', freeBytes: 10e9, bytesPerSecond: undefined })] },
    status: 'problem',
    says: /Records would be dropped as diskFull/,
  },
  {
    name: 'disk-space',
    when: 'it is nearly full',
    facts: { disks: [disk({ freeBytes: 15e9 })] },
    status: 'note',
    says: /\(15 %\)/,
  },
  {
    name: 'disk-speed',
    when: 'it is a slow one',
    facts: { disks: [disk({ bytesPerSecond: 124e6 })] },
    status: 'note',
    says: /124 MB\/s: enough for 992 Mbit\/s/,
  },
  {
    name: 'disk-speed',
    when: 'it is much too slow',
    facts: { disks: [disk({ bytesPerSecond: 12e6 })] },
    status: 'problem',
    says: /12 MB\/s: packets are lost above that, 96 Mbit\/s/,
  },
  {
    name: 'disk-speed',
    when: 'it was not tried',
    facts: { disks: [disk({ bytesPerSecond: undefined })] },
    status: 'note',
    says: /was not tried/,
  },
]);
