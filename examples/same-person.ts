// Who is who in some photographs: faces found, aligned and embedded, and every two of them compared.
// Run it with: npx tsx examples/same-person.ts [photograph ...]
import { cosineAt, decisionFor, openReader, type ReadFace, samplePhotographs } from '../src/index.js';

const given = process.argv.slice(2);
const paths = given.length > 0 ? given : samplePhotographs().slice(0, 3);
const reader = await openReader();
const { threshold } = decisionFor(reader.manifest, { fmr: 0.001 });

const faces: (ReadFace & { of: string })[] = [];
for await (const photograph of reader.read(paths, { choice: 'all' })) {
  if ('problem' in photograph) console.error(photograph.problem);
  else
    faces.push(
      ...photograph.faces.map((face, i) => ({ ...face, of: `face ${i + 1} of ${photograph.path}` })),
    );
}
await reader.close();

console.log(`${faces.length} faces; the same person from a similarity of ${threshold.toFixed(3)} on`);
for (const [i, a] of faces.entries()) {
  for (const b of faces.slice(i + 1)) {
    const similarity = cosineAt(a.embedding, 0, b.embedding, 0, a.embedding.length);
    if (similarity >= threshold) console.log(`${a.of} and ${b.of}: ${similarity.toFixed(3)}`);
  }
}
