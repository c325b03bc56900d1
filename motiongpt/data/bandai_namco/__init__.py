"""The Bandai-Namco-Research-Motiondataset: files, splits, measurements, captions, source."""
