// The section that reads a page: a photo or scan in, its numbers over it and as text, doubtful digits to review.

import { alertOf, byId, guarded } from "./elements.js";
import { digitsOf, isDoubtful, mark, textOf } from "./overlay.js";
import { startReview } from "./review.js";

/** Returns a function that reads a picture (a Blob) and shows it. */
export function startPages(engine) {
  let shown = null; // {reading, picture}
  const review = startReview(engine, () => shown && show());

  function show() {
    mark(byId("picture"), shown.picture, shown.reading);
    byId("text").textContent = textOf(shown.reading) || "(no digits found)";
    const digits = digitsOf(shown.reading);
    const { width, height, elapsed_ms: elapsed } = shown.reading;
    byId("details").textContent =
      `${digits.length} digits, ${digits.filter(isDoubtful).length} of them doubtful, ${width}\u00d7${height} pixels, ` +
      `${Math.round(elapsed.total ?? 0)} ms. Green: sure, orange: doubtful, red: unsure.`;
  }

  async function read(blob) {
    alertOf(null);
    byId("result").hidden = true;
    review.close();
    byId("progress").textContent = "Reading\u2026";
    try {
      const drawable = await createImageBitmap(blob, { imageOrientation: "from-image" }).catch(() => null);
      // A TIFF or PDF, which this browser cannot draw, comes back as a picture.
      const reading = await engine.read(blob, { withPicture: !drawable });
      const picture = drawable || (await imageOf(reading.picture));
      shown = { reading, picture };
      show();
      byId("result").hidden = false;
      byId("progress").textContent = "";
      review.open(reading, picture);
    } catch (error) {
      byId("progress").textContent = "";
      alertOf(error);
    }
  }

  for (const id of ["file", "photograph"]) {
    byId(id).addEventListener("change", (event) => {
      if (event.target.files.length) read(event.target.files[0]);
      event.target.value = ""; // the same file may be chosen again
    });
  }
  // A picture dropped beside the field would replace the page: the whole window takes it.
  for (const kind of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(kind, (event) => {
      event.preventDefault();
      byId("drop").classList.toggle("over", kind === "dragover");
      if (kind === "drop" && event.dataTransfer.files.length) read(event.dataTransfer.files[0]);
    });
  }
  byId("copy").addEventListener("click", guarded(async () => {
    if (!navigator.clipboard) throw new Error("This browser lets only https pages copy; mark the numbers and copy them.");
    await navigator.clipboard.writeText(byId("text").textContent);
    byId("progress").textContent = "Copied.";
  }));
  return read;
}

/** A picture given as a data: URL, ready to be drawn. */
export async function imageOf(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  return image;
}
