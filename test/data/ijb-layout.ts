// A benchmark in the layout of IJB-B and IJB-C, small enough to work out by hand: four subjects, a template each in the
// galleries and five probes.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Files by what follows the prefix. */
export const layout: Record<string, string> = {
  // Template 100 is a photograph and a video of two frames; 102 a video alone. Templates 1xx are enrolled.
  'face_tid_mid.txt': [
    '1.jpg 100 7',
    '2.jpg 100 8',
    '3.jpg 100 8',
    '4.jpg 101 9',
    '5.jpg 102 10',
    '6.jpg 102 10',
    '7.jpg 103 11',
    '8.jpg 200 12',
    '9.jpg 201 13',
    '10.jpg 202 14',
    '11.jpg 203 15',
    '12.jpg 204 16',
  ].join('\n'),
  'template_pair_label.txt': [
    '100 200 1',
    '101 201 1',
    '100 201 0',
    '102 203 1',
    '101 200 0',
    '102 204 0',
    '',
  ].join('\r\n'),
  '1N_gallery_G1.csv': [
    'TEMPLATE_ID,SUBJECT_ID,FILENAME,SIGHTING_ID,FACE_X,FACE_Y,FACE_WIDTH,FACE_HEIGHT',
    '100,1,img/1.jpg,7,1,2,3,4',
    '100,1,frames/2.png,8,1,2,3,4',
    '100,1,frames/3.png,8,,,,',
    '101,2,img/4.jpg,9,1,2,3,4',
    '',
  ].join('\n'),
  '1N_gallery_G2.csv': [
    'TEMPLATE_ID,SUBJECT_ID,FILENAME',
    '102,3,frames/5.png',
    '102,3,frames/6.png',
    '103,4,img/7.jpg',
  ].join('\n'),
  '1N_probe_mixed.csv': [
    'TEMPLATE_ID,SUBJECT_ID,FILENAME',
    '200,1,img/8.jpg',
    '201,2,img/9.jpg',
    '202,1,img/10.jpg',
    '203,3,img/11.jpg',
    '204,4,img/12.jpg',
  ].join('\n'),
};

/** Writes the layout, changed by `changes` (null leaves a file out), into a new folder below `parent`; returns it. */
export function writeIjb(
  parent: string,
  name: string,
  changes: Record<string, string | null> = {},
  prefix = 'ijbc_',
): string {
  const folder = join(parent, name);
  mkdirSync(folder, { recursive: true });
  for (const [file, text] of Object.entries({ ...layout, ...changes }))
    if (text !== null) writeFileSync(join(folder, prefix + file), text);
  return folder;
}

/** Features of the images 1.jpg to 12.jpg; their directions make cosines of whole tenths. */
export const byHand: [number, number][] = [
  [4, 0],
  [0, 2],
  [0, 4],
  [3, 4],
  [-2, 0],
  [-4, 0],
  [0, -1],
  [2, 0],
  [0, 1],
  [1, 1],
  [-1, 0],
  [-4, -3],
];
