"""The LGG data set: patients, their split, their clinical columns, the download, thumbnails."""
