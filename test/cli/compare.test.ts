// hypersphere compare: what it says of faces is in pixels of the photographs, however small the page shows them.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { samplePhotographs } from '../../src/face/index.js';
import { temporaryFolder } from '../data/pictures.js';
import { hypersphere } from './hypersphere.js';

test('faces are told where detect finds them', async () => {
  const [photograph] = samplePhotographs() as [string];
  const compared = await hypersphere(
    'compare',
    photograph,
    '--out',
    join(temporaryFolder(), 'page'),
    '--json',
  );
  const detected = await hypersphere('detect', photograph, '--json');
  const { faces } = JSON.parse(compared.stdout) as { faces: { box: object; landmarks: object }[] };
  const [image] = (
    JSON.parse(detected.stdout) as { images: [{ faces: { box: object; landmarks: object }[] }] }
  ).images;
  expect(faces.length).toBeGreaterThan(1);
  expect(faces.map(({ box, landmarks }) => ({ box, landmarks }))).toEqual(
    image.faces.map(({ box, landmarks }) => ({ box, landmarks })),
  );
});
