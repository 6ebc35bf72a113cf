// The same work by @vladmandic/face-api or @vladmandic/human on TensorFlow.js's WASM backend: prints one JSON line
// about itself, then does its task once for every line on standard input and answers with its milliseconds.
// Arguments: folder that holds node_modules with the libraries, library (face-api | human), task (whole | detect),
// threads, photographs.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { createInterface } from 'node:readline';
import sharp from 'sharp';

const [folder, library, task, threads, ...photographs] = process.argv.slice(2);
const require = createRequire(path.join(path.resolve(folder), 'anything.js'));

// The libraries greet on standard output; keep the line protocol clean.
console.log = console.info = console.warn = (...parts) => process.stderr.write(`${parts.join(' ')}\n`);
const say = (line) => process.stdout.write(`${line}\n`);

const packageFolder = (name) => path.join(path.resolve(folder), 'node_modules', name);
const versionOf = (name) =>
  JSON.parse(readFileSync(path.join(packageFolder(name), 'package.json'), 'utf8')).version;
const wasmFiles = `${path.join(packageFolder('@tensorflow/tfjs-backend-wasm'), 'dist')}/`;

const decode = async (file) => {
  const { data, info } = await sharp(file).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return { data, shape: [info.height, info.width, 3] };
};

/** Each library as a function from a tensor to the number of faces it found. */
const libraries = {
  async 'face-api'() {
    const tf = require('@tensorflow/tfjs');
    const wasm = require('@tensorflow/tfjs-backend-wasm');
    wasm.setWasmPaths(wasmFiles);
    wasm.setThreadsCount(Number(threads));
    await tf.setBackend('wasm');
    await tf.ready();
    const faceapi = require('@vladmandic/face-api/dist/face-api.node-wasm.js');
    const models = path.join(packageFolder('@vladmandic/face-api'), 'model');
    await faceapi.nets.ssdMobilenetv1.loadFromDisk(models);
    await faceapi.nets.faceLandmark68Net.loadFromDisk(models);
    await faceapi.nets.faceRecognitionNet.loadFromDisk(models);
    const options = new faceapi.SsdMobilenetv1Options({ minConfidence: 0.5 });
    return {
      tf,
      backend: tf.getBackend(),
      run: async (tensor) => {
        const found = faceapi.detectAllFaces(tensor, options).withFaceLandmarks();
        return (await (task === 'whole' ? found.withFaceDescriptors() : found)).length;
      },
    };
  },
  async human() {
    // Its models come over HTTP, which here is this process.
    const models = path.join(packageFolder('@vladmandic/human'), 'models');
    const server = createServer((request, response) => {
      try {
        response.end(readFileSync(path.join(models, path.basename(request.url))));
      } catch {
        response.writeHead(404).end();
      }
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    server.unref();
    const { Human } = require(path.join(packageFolder('@vladmandic/human'), 'dist', 'human.node-wasm.js'));
    const off = { enabled: false };
    const human = new Human({
      backend: 'wasm',
      wasmPath: wasmFiles,
      modelBasePath: `http://127.0.0.1:${server.address().port}/`,
      cacheSensitivity: 0,
      debug: false,
      async: false,
      filter: off,
      face: {
        enabled: true,
        detector: { rotation: true, maxDetected: 10, minConfidence: 0.3, skipFrames: 0, skipTime: 0 },
        mesh: { enabled: true },
        iris: off,
        emotion: off,
        antispoof: off,
        liveness: off,
        description: { enabled: task === 'whole', skipFrames: 0, skipTime: 0 },
      },
      body: off,
      hand: off,
      object: off,
      gesture: off,
      segmentation: off,
    });
    await human.tf.setBackend('wasm');
    await human.tf.ready();
    await human.load();
    return {
      tf: human.tf,
      backend: human.tf.getBackend(),
      run: async (tensor) => {
        const result = await human.detect(tensor);
        if (result.error) throw new Error(result.error);
        return result.face.length;
      },
    };
  },
};

const { tf, backend, run } = await libraries[library]();
const decoded = task === 'detect' ? await Promise.all(photographs.map(decode)) : undefined;

async function pass() {
  let faces = 0;
  for (const [i, file] of photographs.entries()) {
    const { data, shape } = decoded?.[i] ?? (await decode(file));
    const tensor = tf.tensor3d(Int32Array.from(data), shape, 'int32');
    faces += await run(tensor);
    tf.dispose(tensor);
  }
  return faces;
}

say(JSON.stringify({ version: `${versionOf(`@vladmandic/${library}`)}, ${backend}`, faces: await pass() }));
for await (const _ of createInterface({ input: process.stdin })) {
  const started = performance.now();
  try {
    await pass();
    say(String(performance.now() - started));
  } catch (error) {
    say(`error ${error.message}`);
  }
}
