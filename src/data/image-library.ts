// sharp (libvips) as it is used everywhere here: one thread an image, no cache, and only the loaders of the formats
// that are read.
import sharp from 'sharp';

// Faces are small: threads are better spent on several images at once than inside one.
sharp.concurrency(1);
sharp.cache(false);

/** Loaders for the kinds of image-kind.ts. A JPEG with a gain map is read as the JPEG it is. */
const loaders = ['Jpeg', 'Png', 'Webp', 'Tiff', 'Nsgif', 'Heif'].map((name) => `VipsForeignLoad${name}`);
/** Drawings of our own pages (report/draw-faces.ts); no file's bytes get there. */
const DRAWINGS = 'VipsForeignLoadSvg';

sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({ operation: [...loaders, DRAWINGS] });

/** For a process that decodes files only. */
export function blockDrawings(): void {
  sharp.block({ operation: [DRAWINGS] });
}

export default sharp;
