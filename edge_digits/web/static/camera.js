// The section with live cameras: this browser's own, and that of the machine that serves the page.

import { alertOf, byId, guarded } from "./elements.js";
import { mark, textOf } from "./overlay.js";
import { imageOf } from "./page.js";

const LARGEST_SENT_PX = 1280;
const PAUSE_MS = 50;
const JPEG_QUALITY = 0.9;

const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });

/** onKeep: takes a picture (a Blob) that was kept. */
export function startCameras(engine, onKeep) {
  const buttons = { own: byId("own-camera"), device: byId("device-camera") };
  const video = byId("video");
  let running = null; // "own", "device" or null
  let stream = null;
  let newest = null; // canvas or image that was read last

  function show(picture, reading) {
    newest = picture;
    byId("camera-view").hidden = false;
    byId("take").hidden = false;
    mark(byId("camera-picture"), picture, reading);
    byId("camera-text").textContent = textOf(reading) || "(no digits seen)";
    byId("camera-state").textContent = "";
  }

  function stop() {
    running = null;
    if (stream) for (const track of stream.getTracks()) track.stop();
    stream = null;
    video.srcObject = null;
    for (const button of Object.values(buttons)) button.setAttribute("aria-pressed", "false");
    byId("camera-state").textContent = "";
  }

  async function start(which) {
    const again = running !== which;
    stop();
    if (!again) return;
    running = which;
    buttons[which].setAttribute("aria-pressed", "true");
    byId("camera-state").textContent = "Opening the camera\u2026";
    try {
      await (which === "own" ? watchOwn() : watchDevice());
    } catch (error) {
      stop();
      alertOf(error);
    }
  }

  async function watchOwn() {
    if (!navigator.mediaDevices) throw new Error("Browsers give their camera to https pages and to this machine alone; send a photo instead.");
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } } });
    } catch (error) {
      throw new Error(`The browser gives no camera (${error.name}); allow it in the browser, and check that no other program uses it.`);
    }
    const mine = stream;
    video.srcObject = stream;
    await video.play();
    while (stream === mine) {
      const scale = Math.min(1, LARGEST_SENT_PX / Math.max(video.videoWidth, video.videoHeight));
      const canvas = new OffscreenCanvas(Math.round(video.videoWidth * scale), Math.round(video.videoHeight * scale));
      canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
      const reading = await engine.read(await canvas.convertToBlob({ type: "image/jpeg", quality: JPEG_QUALITY }));
      if (stream === mine) show(canvas, reading);
      await pause(document.hidden ? 500 : PAUSE_MS);
    }
  }

  async function watchDevice() {
    let after = 0;
    const mine = {};
    watchDevice.current = mine;
    while (running === "device" && watchDevice.current === mine) {
      const reading = await engine.look(after);
      if (reading && running === "device") {
        after = reading.frame;
        show(await imageOf(reading.picture), reading);
      }
      await pause(document.hidden ? 500 : PAUSE_MS);
    }
  }

  for (const which of Object.keys(buttons)) buttons[which].addEventListener("click", guarded(() => start(which)));
  byId("take").addEventListener("click", guarded(async () => {
    const copy = new OffscreenCanvas(newest.width, newest.height);
    copy.getContext("2d").drawImage(newest, 0, 0);
    stop();
    onKeep(await copy.convertToBlob({ type: "image/png" }));
  }));
  buttons.device.hidden = !engine.can.camera;
}
